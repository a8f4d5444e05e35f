"""Programs that run inside the sandbox, next to the genome: standard library only.

Nothing of ``tars_peer`` may be imported here, and nothing here is imported by ``tars_peer``.
"""
