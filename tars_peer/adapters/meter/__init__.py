"""Building, testing, measuring and profiling a genome with its own commands (``ports.meter``).

No verdict may enter here: what a figure means is for the gates. Nothing of the genome is imported
into this process; all of it runs in the sandbox.
"""
