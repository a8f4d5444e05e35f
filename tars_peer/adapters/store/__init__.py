"""What a peer remembers for itself. Nothing that correctness depends on may enter here."""
