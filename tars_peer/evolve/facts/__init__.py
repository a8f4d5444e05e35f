"""What is known of source code: positions, scopes, uses, types, who may run unknown code.

Guards of improvements ask here and get an answer that errs to the side of "not known". No
rewriting, no ranking and no I/O may enter here: bytes come in, facts go out.
"""
