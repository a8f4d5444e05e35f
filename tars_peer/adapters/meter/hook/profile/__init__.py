"""On the path of a profiled interpreter by itself, so nothing but ``sitecustomize`` may be here."""
