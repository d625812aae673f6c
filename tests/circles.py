#!/usr/bin/env python3
"""Finds import circles: source files of one crate that import from each other, directly or round about.

    python3 tests/circles.py               check every crate of this repository
    python3 tests/circles.py --self-test   check the checker, on made-up crates

Prints each circle with the lines that make it and exits with 1 if there is one. What counts:

- `use` lines, glob imports, paths in code (`crate::a::b::f()`) and in attributes
  (`#[serde(with = "crate::a")]`). Each is followed through re-exports to the file that defines the item.
- A parent's `mod` lines, and its `pub use` lines of what its own children define, do not count.
- `#[cfg(test)]` items, comments and strings do not count.
"""

import re
import sys
import tempfile
from pathlib import Path

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<comment>/\*)
  | (?P<raw>b?r(?P<hashes>\#*)".*?"(?P=hashes))
  | (?P<string>[bc]?"(?:\\.|[^"\\])*")
  | (?P<char>b?'(?:\\(?:u\{[^}]*\}|.[0-9a-fA-F]?)|[^\\'])')
  | (?P<lifetime>'\w+)
  | (?P<word>(?:r\#)?[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<sign>::|->|=>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
CLOSING = {"(": ")", "[": "]", "{": "}"}
ITEM_WORDS = {"struct", "enum", "trait", "type", "fn", "const", "static"}
PATH_TEXT = re.compile(r"[a-z_]\w*(?:::\w+)+")


class Token:
    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line


def tokens_of(source):
    """The tokens of a source file, without comments and space."""
    found, at, line = [], 0, 1
    while at < len(source):
        match = TOKEN.match(source, at)
        kind, end = match.lastgroup, match.end()
        if kind == "hashes":
            kind = "raw"
        if kind == "comment":  # block comments nest
            depth = 1
            while depth and end < len(source):
                if source.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif source.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
        elif kind != "space":
            found.append(Token("string" if kind == "raw" else kind, match.group(), line))
        line += source.count("\n", at, end)
        at = end
    return found


class Module:
    """One module: its file, the names it defines, and the names it imports."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.children = {}  # name -> Module
        self.defined = set()
        self.imports = {}  # name -> path, as written
        self.globs = []  # paths, as written
        self.references = []  # (path, line, kind): "use", "pub use", "glob", "pub glob", "code", "attribute"


def closing(tokens, at):
    """The position of the bracket that closes the one at `at`."""
    stack = []
    for position in range(at, len(tokens)):
        text = tokens[position].text if tokens[position].kind == "sign" else ""
        if text in CLOSING:
            stack.append(CLOSING[text])
        elif stack and text == stack[-1]:
            stack.pop()
            if not stack:
                return position
    sys.exit(f"line {tokens[at].line}: a bracket is not closed; does the file compile?")


def after_item(tokens, at):
    """The position after the item, statement, field or arm that starts at `at`."""
    is_item = False
    while at < len(tokens):
        text = tokens[at].text if tokens[at].kind in ("sign", "word") else ""
        is_item |= text in ITEM_WORDS or text in ("impl", "mod", "use")
        if text == ";" or (text == "," and not is_item):
            return at + 1
        if text == "{":
            return closing(tokens, at) + 1
        if text and text in ")]}":
            return at
        at = closing(tokens, at) + 1 if text in ("(", "[") else at + 1
    return at


def use_tree(tokens, at, prefix):
    """Paths of a use tree from `at` on: a list of (path, alias or None, is a glob), and where it ends."""
    path, alias = list(prefix), None
    while True:
        token = tokens[at]
        if token.text == "{":
            found, at = [], at + 1
            while tokens[at].text != "}":
                inner, at = use_tree(tokens, at, path)
                found += inner
                at += tokens[at].text == ","
            return found, at + 1
        if token.text == "*":
            return [(path, None, True)], at + 1
        if token.kind == "word" and token.text == "as":
            alias = tokens[at + 1].text
            return [(path, alias, False)], at + 2
        if token.kind == "word":
            path = path if token.text == "self" and path else path + [token.text]
        elif token.text != "::":
            return [(path, path[-1], False)], at
        at += 1


class Crate:
    """The modules of one crate, read from its root file."""

    def __init__(self, root):
        self.modules = []
        self.root = self.read([], root, root.parent)

    def read(self, path, file, folder):
        module = Module(path, file)
        self.modules.append(module)
        tokens = tokens_of(file.read_text(encoding="utf-8"))
        self.items(module, tokens, 0, len(tokens), folder)
        return module

    def items(self, module, tokens, at, end, folder, depth=0):
        """Reads tokens `at..end`; `depth` counts the braces around them within the module."""
        while at < end:
            token, following = tokens[at], tokens[at + 1] if at + 1 < end else None
            if token.text == "#" and following and following.text in ("[", "!"):
                opening = at + 1 if following.text == "[" else at + 2
                close = closing(tokens, opening)
                text = "".join(part.text for part in tokens[opening : close + 1])
                if text in ("[cfg(test)]", "[test]"):
                    at = after_item(tokens, self.after_attributes(tokens, close + 1))
                    continue
                for part in tokens[opening:close]:
                    if part.kind == "string" and PATH_TEXT.fullmatch(part.text[1:-1]):
                        module.references.append((part.text[1:-1].split("::"), part.line, "attribute"))
                at = close + 1
            elif token.kind == "word" and token.text == "pub" and following and following.text == "(":
                at = closing(tokens, at + 1) + 1
                if tokens[at].text == "use":
                    at = self.use(module, tokens, at, True)
            elif token.kind == "word" and token.text == "use" and self.starts_use(tokens, at):
                at = self.use(module, tokens, at, at > 0 and tokens[at - 1].text == "pub")
            elif token.kind == "word" and token.text == "mod" and following and following.kind == "word":
                at = self.module(module, tokens, at, folder, depth)
            elif token.kind == "word" and token.text == "macro_rules" and following and following.text == "!":
                module.defined.add(tokens[at + 2].text)
                at += 3
            elif token.kind == "word" and token.text in ITEM_WORDS and following and following.kind == "word":
                if depth == 0:
                    module.defined.add(following.text)
                at += 1 if following.text in ITEM_WORDS else 2
            elif token.text == "{" and token.kind == "sign":
                close = closing(tokens, at)
                self.items(module, tokens, at + 1, close, folder, depth + 1)
                at = close + 1
            elif token.kind == "word" and following and following.text == "::":
                at = self.path_in_code(module, tokens, at)
            else:
                at += 1

    @staticmethod
    def starts_use(tokens, at):
        # `impl Trait + use<'a>` is a bound.
        return tokens[at + 1].kind == "word" or tokens[at + 1].text in ("::", "{")

    @staticmethod
    def after_attributes(tokens, at):
        while tokens[at].text == "#":
            at = closing(tokens, at + 1) + 1
        return at

    @staticmethod
    def use(module, tokens, at, public):
        line, at = tokens[at].line, at + 1
        found, end = use_tree(tokens, at, [])
        for path, alias, is_glob in found:
            if is_glob:
                module.globs.append(path)
            elif alias not in (None, "_"):
                module.imports[alias] = path
            kind = "glob" if is_glob else "use"
            module.references.append((path, line, f"pub {kind}" if public else kind))
        return end

    def module(self, parent, tokens, at, folder, depth):
        name = tokens[at + 1].text
        if tokens[at + 2].text == "{":
            close = closing(tokens, at + 2)
            inner = Module([*parent.path, name], parent.file)
            self.modules.append(inner)
            self.items(inner, tokens, at + 3, close, folder / name)
            at = close
        else:
            file = folder / f"{name}.rs"
            file = file if file.exists() else folder / name / "mod.rs"
            inner = self.read([*parent.path, name], file, folder / name)
            at += 2
        if depth == 0:
            parent.children[name] = inner
        return at + 1

    @staticmethod
    def path_in_code(module, tokens, at):
        start = at
        path = [tokens[at].text]
        while tokens[at + 1].text == "::" and tokens[at + 2].kind == "word":
            path.append(tokens[at + 2].text)
            at += 2
        before = tokens[start - 1].text if start else ""
        if before not in ("::", "."):
            module.references.append((path, tokens[start].line, "code"))
        return at + 1

    def find(self, path, module, seen=frozenset()):
        """What `path`, as written in `module`, leads to: a Module, or (Module, name), or None."""
        first, rest = path[0].removeprefix("r#"), path[1:]
        if first == "crate":
            at = self.root
        elif first == "self":
            at = module
        elif first == "super":
            at = self.at(module.path[:-1])
            while rest and rest[0] == "super":
                at, rest = self.at(at.path[:-1]), rest[1:]
        else:
            at = self.name(first, module, seen)
        for name in rest:
            if not isinstance(at, Module):
                break  # an associated item or a variant: its type decides
            at = self.name(name, at, seen)
        return at

    def name(self, name, module, seen):
        if (name, id(module)) in seen:
            return None
        seen = seen | {(name, id(module))}
        if name in module.children:
            return module.children[name]
        if name in module.defined:
            return module, name
        if name in module.imports:
            return self.find(module.imports[name], module, seen)
        for path in module.globs:
            target = self.find(path, module, seen)
            found = self.name(name, target, seen) if isinstance(target, Module) else None
            if found:
                return found
        return None

    def at(self, path):
        module = self.root
        for name in path:
            module = module.children[name]
        return module

    def behind_glob(self, module, seen=None):
        """Every file whose items a glob import of `module` brings in."""
        seen = set() if seen is None else seen
        if id(module) in seen:
            return set()
        seen.add(id(module))
        files = {module.file} if module.defined else set()
        for path, _, kind in module.references:
            target = self.find(path, module) if kind.startswith("pub") else None
            if isinstance(target, tuple):
                files.add(target[0].file)
            elif target and kind == "pub glob":
                files |= self.behind_glob(target, seen)
        return files

    def imports(self):
        """Who imports from whom: {file: {file: set of lines}}."""
        edges = {}
        for module in self.modules:
            for path, line, kind in module.references:
                target = self.find(path, module)
                if not target:
                    continue
                owner = target if isinstance(target, Module) else target[0]
                if isinstance(target, tuple) or kind == "attribute":
                    files = {owner.file}
                elif "glob" in kind:
                    files = self.behind_glob(target)
                else:  # naming a module imports nothing; the paths that go through it do
                    files = set()
                if kind.startswith("pub") and owner.path[: len(module.path)] == module.path:
                    continue
                for file in files - {module.file}:
                    edges.setdefault(module.file, {}).setdefault(file, set()).add(line)
        return edges


def circles(edges):
    """Groups of files that reach each other, largest last (Tarjan's algorithm, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for start in sorted(edges):
        if start in index:
            continue
        work = [(start, iter(sorted(edges.get(start, ()))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges.get(other, ())))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    if len(group) > 1:
                        found.append(sorted(group))
    return sorted(found, key=lambda group: (len(group), group))


def report(edges, top):
    """Prints every circle with the lines that make it, and returns how many there are."""
    found = circles(edges)
    for group in found:
        print(f"circle of {len(group)} files:")
        for file in group:
            source = file.read_text(encoding="utf-8").splitlines()
            for other in sorted(set(edges[file]) & set(group)):
                for line in sorted(edges[file][other]):
                    print(f"  {file.relative_to(top)}:{line} -> {other.relative_to(top)}: {source[line - 1].strip()}")
    return len(found)


def roots(top):
    """The root files of all crates below `top`."""
    for manifest in sorted(top.rglob("Cargo.toml")):
        if {"target", ".git", "node_modules"} & set(manifest.relative_to(top).parts):
            continue
        for pattern in ("src/lib.rs", "src/main.rs", "src/bin/*.rs", "tests/*.rs", "tests/*/main.rs"):
            yield from sorted(manifest.parent.glob(pattern))


MADE_UP = {
    # name: (files, circles: the files of each, as expected)
    "direct, and a file that only one side names": (
        {
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": "use crate::b::B; pub struct A; use crate::c::C;",
            "b.rs": "use super::a; pub struct B; fn f() -> a::A { a::A }",
            "c.rs": "pub struct C;",
        },
        [["a.rs", "b.rs"]],
    ),
    "round about": (
        {
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": "use crate::c::{self, C as Other}; pub struct B;",
            "c.rs": "pub struct C; impl C { fn f() { if true { crate::a::A::new(); } } }",
        },
        [["a.rs", "b.rs", "c.rs"]],
    ),
    "through a parent's re-export, and a glob": (
        {
            "lib.rs": "pub mod room;",
            "room/mod.rs": "mod a; mod b; pub use a::A; pub(crate) use self::b::*;",
            "room/a.rs": "use super::*; pub struct A;",
            "room/b.rs": "use super::A; pub fn b() {}",
        },
        [["room/a.rs", "room/b.rs"]],
    ),
    "a parent that uses its child, which uses its parent": (
        {
            "lib.rs": "mod room;",
            "room.rs": "mod child; use child::Child; pub struct Parent(Child);",
            "room/child.rs": "pub struct Child; fn f(_: &super::Parent) {}",
        },
        [["room.rs", "room/child.rs"]],
    ),
    "a path in an attribute": (
        {
            "lib.rs": "mod a; mod b;",
            "a.rs": '#[serde(with = "crate::b::text")] pub struct A;',
            "b.rs": "use crate::a::A; pub mod text { pub fn serialize() {} }",
        },
        [["a.rs", "b.rs"]],
    ),
    "no circle: re-exports, tests, comments, strings": (
        {
            "lib.rs": "pub mod a; pub mod b; pub use b::B; pub use self::a::A;",
            "a.rs": "use crate::b::B; pub struct A; const QUOTE: char = '\"'; const BRACE: char = '{';",
            "b.rs": "pub struct B<'a>(&'a str); // use crate::a::A;\n/* crate::a::A /* nested */ */\n"
            'const T: &str = "crate::a::A"; const R: &str = r#"crate::a::A "quoted""#;\n'
            "#[cfg(test)] use crate::a::A as _; #[cfg(test)] mod tests { use crate::a::A; }\n"
            "#[cfg(test)] #[path] mod outside;",
            "b/outside.rs": "use crate::a::A;",
        },
        [],
    ),
}


def self_test():
    for name, (files, expected) in MADE_UP.items():
        with tempfile.TemporaryDirectory() as folder:
            top = Path(folder)
            for file, text in files.items():
                (top / file).parent.mkdir(parents=True, exist_ok=True)
                (top / file).write_text(text)
            groups = circles(Crate(top / "lib.rs").imports())
            found = [sorted(str(file.relative_to(top)) for file in group) for group in groups]
        if found != expected:
            sys.exit(f"{name}: expected {expected}, found {found}")
    print(f"{len(MADE_UP)} made-up crates: as expected")


def main():
    if "--self-test" in sys.argv:
        self_test()
        return
    top = Path(__file__).resolve().parents[1]
    checked = found = 0
    for root in roots(top):
        crate = Crate(root)
        checked += len({module.file for module in crate.modules})
        found += report(crate.imports(), top)
    print(f"{checked} files, {found} import circles")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
