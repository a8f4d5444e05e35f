"""What an improvement may ask of one file: its source, types, who is quiet, and local containers.

No rewriting may enter here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tars_peer.evolve.facts.kinds import Type
from tars_peer.evolve.facts.project import Project
from tars_peer.evolve.facts.quiet import Quiet
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.source import Source
from tars_peer.evolve.facts.types import Types
from tars_peer.evolve.facts.uses import Use, only_binding, uses_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A local name with one assignment, which all its uses follow; none is in a closure."""

    scope: Scope
    name: str
    target: ast.Name
    statement: ast.Assign | ast.AnnAssign
    value: ast.expr
    uses: list[Use]

    @property
    def annotation(self) -> ast.expr | None:
        """What it is annotated with."""
        return self.statement.annotation if isinstance(self.statement, ast.AnnAssign) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one file of a project."""

    source: Source
    project: Project
    types: Types
    quiet: Quiet

    def kind(self, node: ast.expr | None) -> Type:
        """Return the type of an expression; ``ANY`` if it is not known."""
        return self.types.of(self.source, node)

    def functions(self) -> Iterator[Scope]:
        """Yield the ``def``s in which every use of a local name can be seen."""
        return (
            scope
            for scope in self.source.scopes.functions()
            if not scope.dynamic and not self.source.scopes.opaque
        )

    def locals(self, *values: type[ast.expr]) -> Iterator[Local]:
        """Yield local names that are bound once, to an expression of one of these types."""
        for scope in self.functions():
            for name in list(scope.bindings):
                statement = only_binding(self.source, scope, name)
                value = None if statement is None else statement.value
                if statement is None or value is None or not isinstance(value, values):
                    continue
                uses = self.uses(scope, name)
                target = scope.bindings[name][0]
                if uses is None or not self.follows(statement, [use.node for use in uses]):
                    continue
                if isinstance(target, ast.Name) and target.id == name:
                    yield Local(
                        scope=scope,
                        name=name,
                        target=target,
                        statement=statement,
                        value=value,
                        uses=uses,
                    )

    def uses(self, scope: Scope, name: str) -> list[Use] | None:
        """Return all uses of a name; None where one may run later than it stands."""
        uses = uses_of(self.source, scope, name)
        captured = any(self.source.scopes.captured(use.node, scope) for use in uses)
        return None if captured else uses

    def follows(self, statement: ast.stmt, nodes: Iterable[ast.AST]) -> bool:
        """Say whether ``statement`` surely ran before each of ``nodes``.

        They lie in later statements of its block; so none sees unbound what it binds.
        """
        block = self.source.block_of(statement)
        later = block[block.index(statement) + 1 :]
        return all(any(self.source.inside(node, one) for one in later) for node in nodes)

    def loops_since(self, node: ast.AST, start: ast.AST) -> list[ast.stmt | ast.comprehension]:
        """Return the loops around ``node`` that are not around ``start``, innermost first."""
        outer = set(map(id, self.source.loops_around(start)))
        return [loop for loop in self.source.loops_around(node) if id(loop) not in outer]

    def probe(self, node: ast.expr) -> ast.expr:
        """Return what is looked for in ``node``, the right side of an ``in``."""
        compare = self.source.parent(node)
        assert isinstance(compare, ast.Compare)
        place = compare.comparators.index(node)
        return compare.comparators[place - 1] if place else compare.left

    def is_builtin(self, node: ast.AST, *names: str) -> bool:
        """Say whether ``node`` surely is one of the builtins ``names``."""
        return self.source.scopes.is_builtin(node, *names)

    def is_cheap(self, node: ast.expr) -> bool:
        """Say whether evaluating ``node`` twice gives the same and does nothing."""
        if isinstance(node, (ast.Name, ast.Constant)):
            return True
        if isinstance(node, ast.Attribute):
            return self.is_cheap(node.value) and self.is_plain_field(node)
        return False

    def is_plain_field(self, node: ast.Attribute) -> bool:
        """Say whether ``node`` reads a declared field of a record of the genome."""
        owner = self.kind(node.value)
        return self.types.lookup.is_plain_record(owner) and (
            self.types.lookup.field_of(owner, node.attr).name != "any"
        )

    def may_import(self) -> bool:
        """Say whether a new module-level import stays invisible to those who import the file."""
        return "__all__" in self.source.scopes.module.bindings or not self.project.star_imported()

    def has_comment(self, statement: ast.stmt) -> bool:
        """Say whether a comment stands in, behind or right above ``statement``."""
        start, end = self.source.span(statement)
        stop = self.source.content.find(b"\n", end)
        behind = self.source.content[end : len(self.source.content) if stop < 0 else stop]
        above = self.source.line(statement.lineno - 1).lstrip().startswith("#")
        return above or b"#" in behind or b"#" in self.source.content[start:end]
