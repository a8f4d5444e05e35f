"""A toy whose waste no busy machine can hide; nothing else may enter."""
