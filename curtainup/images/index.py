"""An index of a commit that is apart from its repository: nothing but the commit decides what comes out.

git heeds a repository's own configuration, `info/attributes` and sparse checkout whenever it works there. So
this makes an empty repository, which reads the objects of the other one. git converts files there as the
commit's `.gitattributes` say, and otherwise as it does on Linux without configuration.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from curtainup.images.repository import Repository
from curtainup.util.git import Git, joined

SETTINGS = """\
[core]
\trepositoryformatversion = {version}
\tbare = false
\tautocrlf = false
\teol = lf
[extensions]
{extensions}"""
LONG = 64
"""Characters of an object's id in a repository that hashes with SHA-256."""


@dataclass(frozen=True)
class Index:
    """A commit's files, by their paths from the top of its repository.

    Attributes:
        git: git in `files`.
        files: the folder that files are checked out to; empty at first.

    """

    git: Git
    files: Path

    def check_out(self, paths: Iterable[str]) -> None:
        """Write files as the commit has them.

        Raises:
            SourceError: git failed; the repository may lack an object.

        """
        self.git.ask("checkout-index", "-z", "--stdin", given=joined(paths))

    def attribute(self, name: str, paths: Iterable[str], *, committed: bool = True) -> Mapping[str, str]:
        """Return the values of an attribute by path: `set`, `unset`, `unspecified` or what is written there.

        Args:
            name: of the attribute.
            paths: files; a folder ends with a slash.
            committed: ask the commit; otherwise files that were written come first.

        Raises:
            SourceError: git failed.

        """
        source = ("--cached",) if committed else ()
        parts = iter(self.git.names("check-attr", *source, "-z", "--stdin", name, given=joined(paths)))
        return {path: value for path, _, value in iter(lambda: tuple(islice(parts, 3)), ())}


@contextmanager
def of(repository: Repository, commit: str, beside: Path | None = None) -> Iterator[Index]:
    """Make an index of a commit, and remove it and its files at the end.

    Args:
        repository: the repository.
        commit: in full.
        beside: the folder to make it in; None takes one for temporary files.

    Raises:
        SourceError: git failed.

    """
    with tempfile.TemporaryDirectory(prefix="curtainup-", dir=beside) as folder:
        place = Path(folder).absolute()
        scratch, files = place / "git", place / "files"
        _make(scratch, commit)
        files.mkdir()
        variables = {
            "GIT_DIR": str(scratch),
            "GIT_WORK_TREE": str(files),
            "GIT_OBJECT_DIRECTORY": str(repository.objects),
        }
        if repository.promisor:
            repository.git.ask(
                "ls-tree", "-r", "--full-tree", commit
            )  # gets the folders that a partial clone lacks
        index = Index(Git(files, more=tuple(variables.items())), files)
        index.git.ask("read-tree", commit)
        yield index


def _make(scratch: Path, commit: str) -> None:
    long = len(commit) == LONG
    for name in ("objects", "refs"):
        (scratch / name).mkdir(parents=True)
    (scratch / "HEAD").write_text("ref: refs/heads/none\n")
    extensions = "\tobjectFormat = sha256\n" if long else ""
    (scratch / "config").write_text(SETTINGS.format(version=int(long), extensions=extensions))
