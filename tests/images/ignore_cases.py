"""Texts of `.dockerignore`, with files that they leave out, and files that they keep."""

from __future__ import annotations

CASES: list[tuple[str, list[str], list[str]]] = [
    ("", [], ["a.py", "docs/a.md"]),
    ("docs", ["docs/a.md", "docs/deep/b.md"], ["docs.py", "src/docs/a.md"]),
    ("docs/", ["docs/a.md"], ["docs.py"]),
    ("/docs", ["docs/a.md"], ["src/docs/a.md"]),
    ("./docs/../docs", ["docs/a.md"], ["a.py"]),
    ("*.md", ["a.md"], ["docs/a.md"]),
    ("**/*.md", ["a.md", "docs/a.md", "docs/deep/b.md"], ["a.mdx"]),
    ("docs/**", ["docs/a.md", "docs/deep/b.md"], ["a.py"]),
    ("**/deep", ["deep/x.py", "docs/deep/b.md"], ["deeper/x.py"]),
    ("docs/**/b.md", ["docs/b.md", "docs/deep/b.md"], ["docs/a.md"]),
    ("*/a.md", ["docs/a.md"], ["a.md", "docs/deep/a.md"]),
    ("a?.py", ["ab.py"], ["a.py", "abc.py"]),
    ("[a-c].py", ["a.py", "b.py"], ["d.py"]),
    ("[^a-c].py", ["d.py"], ["a.py", "b.py"]),
    ("a+b(1).py", ["a+b(1).py"], ["aab(1).py"]),
    ("*\n!keep\n!keep/**", ["a.py", "docs/a.md"], ["keep/a.py", "keep/deep/b.py"]),
    ("services/*\n!services/shop", ["services/other/a.py"], ["services/shop/a.py", "libs/a.py"]),
    ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]),
    ("*.md\nREADME-secret.md\n!README*.md", ["a.md"], ["README.md", "README-secret.md"]),
    ("# docs\n\n  logs  \n", ["logs/a.log"], ["docs/a.md"]),
    ("\ufeffdocs", ["docs/a.md"], ["a.py"]),
    (".*", [".env", ".github/a.yml"], ["a.py", "docs/.env"]),
    ("**/.env*", [".env", "docs/.env.local"], ["env.py"]),
    ("docs\n! docs/keep.md", ["docs/a.md"], ["docs/keep.md"]),
]
