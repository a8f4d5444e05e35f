"""A tiny HTTP service that greets people by name."""
