"""What the toy promises, whatever becomes of its code. Run as a script: the quickest way there is."""

from toy.words import distinct, first, known, shared, tally

assert known(["a", "b", "a"], ["a", "c"]) == 2
assert shared(["c", "a", "b"], ["b", "c"]) == ["c", "b"]
assert tally(["b", "a", "b"]) == {"b": 2, "a": 1}
assert distinct(["b", "a", "b"]) == ["b", "a"]
assert first(["b", "a", "c"]) == "a"
assert first([]) == ""
