"""The genome as a git repository (libgit2). No decision about what to commit may enter here."""
