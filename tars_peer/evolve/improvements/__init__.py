"""The kinds of rewrite, one file each. Add one and you are done: nothing lists them by hand.

To add an improvement, write ``improvements/<its_name>.py`` with one subclass of
``improvement.Improvement``:

1. ``name`` (kebab-case, never reused for another idea: the ledger keeps a record under it),
   ``message`` (one sentence for people), ``expected_gain`` (share of the function's time that it
   saves where it matters, 0..1), ``risk`` (1 is a rewrite that cannot differ), ``reach`` (whose
   time it saves), ``guards`` (what must be proved before it is reported).
2. ``finds``: ``Example(before, after, check)``. ``before`` must become exactly ``after``, and
   ``check`` (an expression) must have the same value in both. ``leaves``: code that looks alike
   and must be left alone; one for each guard.
3. ``look``: walk ``source.nodes(...)``, ask ``facts`` for the proofs, and yield a ``Hit`` with a
   ``Draft`` of the rewrite. When in doubt, leave alone.

The registry finds the class, ``tests/unit/evolve/improvements`` runs its examples, and the
fixpoint tests check that it neither finds itself again nor undoes another one.

No improvement may import another one, edit files itself, or look at anything but the facts.
"""
