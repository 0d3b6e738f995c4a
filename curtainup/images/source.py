"""The service's source: its commit, what a build takes from it, and its version.

git also tracks an ejected program, but the program is not part of the image: editing it makes no other image.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from curtainup.config.build import Build
from curtainup.engine import ejected
from curtainup.errors import SourceError
from curtainup.gates.arguments import ACCEPTANCE_TESTS, UNIT_TESTS
from curtainup.images import changes, ignored, layers, repository, sent, tree
from curtainup.images.ignored import Ignores
from curtainup.images.layers import Layer
from curtainup.images.repository import Repository
from curtainup.images.sent import OWN, Sent
from curtainup.images.tree import LINK, Entry
from curtainup.util.plain import clean

SHORT = 6
SETTINGS = "pym-config*.yaml"
TESTS = tuple(f"{name}/" for name in (*UNIT_TESTS, ACCEPTANCE_TESTS))
EXTRA = "Dockerfile.extra"
PROJECT = "pyproject.toml"
READ = (OWN, EXTRA, PROJECT)
"""Files that say how the image is built, and are read before the build."""
LINKS = 8
"""Links that are followed one after another, at most."""


@dataclass(frozen=True)
class Source:
    """The source to deploy.

    Attributes:
        folder: the service's folder.
        revision: the commit, in full.
        version: date, commit count and short hash, as `200415-0819-953-b3548e`; a dirty tree adds
            `-dirty-` and a hash of it.
        tree: hash of exactly what a build reads of it.
        files: the files that a build takes, without the service's own program, relative to the context.
        dirty: whether tracked files, that program's among them, differ from the commit.
        url: of the remote `origin`, without user and password; may be empty.
        texts: the files of `READ`, and the service's own Dockerfile, as they are built, by name.
        seconds: when the commit was made, since 1970.
        layer: what the build takes, by repository; None only where there is none, as in a test.
        dockerfile: where the service's own Dockerfile is, if it has one, relative to the context.
        service: the service's folder, relative to the context; `.` for the context itself.
        ignored: tracked files that `.dockerignore` leaves out, where it says what belongs to the source.

    """

    folder: Path
    revision: str
    version: str
    tree: str
    files: tuple[str, ...]
    dirty: bool
    url: str
    texts: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 0
    layer: Layer | None = None
    dockerfile: str = OWN
    service: str = "."
    ignored: tuple[str, ...] = ()

    @property
    def context(self) -> Path:
        """The folder that the build is sent."""
        return self.layer.repository.folder if self.layer else self.folder

    @property
    def left_out(self) -> tuple[str, ...]:
        """Files that the attribute `export-ignore` leaves out."""
        return self.layer.left_out if self.layer else ()


def read(folder: Path, *, allow_dirty: bool, build: Build | None = None) -> Source:
    """Return the source in a folder of a git repository.

    Args:
        folder: the service's.
        allow_dirty: whether to take what differs from the commit.
        build: how the service is built, if its configuration says so.

    Raises:
        SourceError: no git, no repository, no commit, nothing tracked, a dirty tree, or a context that is no
            folder of the repository.

    """
    if shutil.which("git") is None:
        raise SourceError(
            "git is not installed",
            consequence="curtainup takes the version and the files to build from git, so nothing was done",
            fix="apt-get install git",
        )
    own = repository.find(folder)
    what = sent.of(own, build)
    changed = changes.find(own)
    if changed and not allow_dirty:
        raise _dirty([one.name for one in changed])
    shown = changed if what.repository is own else changes.find(what.repository)
    whole = layers.read(what.repository, own.head, shown if allow_dirty else None, _program(folder, what))
    _require_files(whole)
    entries = whole.entries if what.repository is own else tree.listing(own, own.head).entries
    _require_tests(own, entries)
    if not allow_dirty:
        _require_settings(own, entries)
    commit, texts = _texts(whole, (*READ, what.dockerfile, *ignored.names(what.dockerfile)))
    layer = _without_ignored(whole, what, texts, () if allow_dirty else shown)
    seconds, files = _seconds(commit), tuple(sorted(layer.names()))
    return Source(
        folder,
        own.head,
        _version(layer, seconds),
        layer.digest,
        files,
        bool(changed) or layer.changed,
        clean(_without_password(own.url)),
        {name: text for name, text in texts.items() if name in {*READ, what.dockerfile} & {*files}},
        seconds,
        layer,
        what.dockerfile,
        what.service,
        () if layer is whole else tuple(sorted({*whole.names()} - {*files})),
    )


def _without_ignored(
    layer: Layer, what: Sent, texts: Mapping[str, str], shown: Sequence[changes.Change]
) -> Layer:
    """Return what the build is sent of a layer; refuse changes of it."""
    if not what.filtered:
        return layer
    ignores = _ignores(what, texts)
    changed = [what.from_service(one.name) for one in shown if not ignores(one.name)]
    if changed:
        raise _dirty(changed)
    return layer.without(ignores)


def _program(folder: Path, what: Sent) -> str | None:
    """Return the folder of an ejected program in the context, which is not built; None if there is none."""
    inside = what.inside(ejected.FOLDER) if ejected.find(folder) else None
    return f"{inside}/" if inside else None


def _ignores(what: Sent, texts: Mapping[str, str]) -> Ignores:
    """Return the rule of the context's `.dockerignore`; what the build itself reads always belongs to it."""
    holders = [name for name in ignored.names(what.dockerfile) if name in texts]
    rule = ignored.rules(texts[holders[0]] if holders else "")
    needed = {what.dockerfile, EXTRA, *holders[:1]}
    return lambda path: path not in needed and rule(path)


def _dirty(names: Sequence[str], also: str = "") -> SourceError:
    differ = "1 tracked file differs" if len(names) == 1 else f"{len(names)} tracked files differ"
    return SourceError(
        f"{differ} from the last commit{also}",
        where=_some(names),
        consequence="a version must identify its content, so nothing was done",
        fix="commit them, or deploy the tree as it is with --dirty",
    )


def _require_files(layer: Layer) -> None:
    folder = layer.repository.folder
    if not any(True for _ in layer.names()):
        raise SourceError(
            "git tracks no file here",
            where=str(folder),
            consequence="only tracked files are built, so nothing was done",
            fix="git add the service's files and commit them",
        )


def _require_tests(found: Repository, entries: Sequence[Entry]) -> None:
    """Refuse a service whose tests are not checked out: no gate would run them."""
    tests = [one.name for one in entries if one.name.startswith(TESTS)]
    absent = [name for name in tests if not os.path.lexists(found.folder / name)]
    if absent:
        raise SourceError(
            "a sparse checkout leaves out tests of the service",
            where=_some(absent),
            consequence="a gate would pass without them, so nothing was done",
            fix=f"git -C {found.folder} sparse-checkout disable",
        )


def _require_settings(found: Repository, entries: Sequence[Entry]) -> None:
    """Refuse a configuration that differs from the commit without git showing it: the folder's is read."""
    settings = [one for one in entries if fnmatch(one.name, SETTINGS)]
    differing = [one for one in settings if not changes.is_as_stored(found.folder / one.name, one)]
    hidden = [one.name for one in changes.hidden(found, differing, ())] if differing else []
    if hidden:
        error = _dirty(hidden, ", though git was told not to look at it")
        error.fix = f"git update-index --no-assume-unchanged --no-skip-worktree {' '.join(hidden)}"
        raise error


def _version(layer: Layer, seconds: int) -> str:
    found = layer.repository
    moment = _moment(seconds, found.head)
    count = found.git.ask("rev-list", "--count", found.head).text
    version = f"{moment}-{count}-{found.head[:SHORT]}"
    return f"{version}-dirty-{layer.digest[:SHORT]}" if layer.changed else version


def _moment(seconds: int, revision: str) -> str:
    """Return the beginning of a version; raise SourceError for a year that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d-%H%M")
    except (ValueError, OverflowError, OSError) as error:
        raise SourceError(
            "the date of the last commit is out of range",
            where=f"commit {revision[:SHORT]}, {seconds} seconds after 1970",
            consequence="the version begins with that date, so nothing was done",
            fix="set this machine's clock, then: git commit --amend --no-edit --date=now",
        ) from error


def _seconds(commit: bytes) -> int:
    """Return when a commit was made, from what git stores of it."""
    header = commit.partition(b"\n\n")[0].splitlines()
    line = next(line for line in header if line.startswith(b"committer "))
    return int(line.split()[-2])


def _texts(layer: Layer, names: Sequence[str]) -> tuple[bytes, Mapping[str, str]]:
    """Return the commit as git stores it, and the texts of files of the layer, as they are built."""
    found = layer.repository
    entries = {one.name: one for one in layer.entries}
    taken = {one.name for one in layer.taken}
    files = {name: path for name in names if (path := _followed(layer, name)) is not None}
    ids = {path: entries[path].id for path in files.values() if path in entries}
    stored = repository.contents(found, [found.head, *ids.values()])
    texts = {path: stored[one] for path, one in ids.items()}
    texts |= {path: (found.folder / path).read_bytes() for path in files.values() if path in taken}
    return stored[found.head], {name: texts[path].decode("utf-8", "replace") for name, path in files.items()}


def _followed(layer: Layer, name: str) -> str | None:
    """Return the file that a name leads to through links; None if it is not among the files of the layer."""
    found = layer.repository
    modes = {one.name: one.mode for one in layer.entries} | {one.name: one.mode for one in layer.taken}
    ids = {one.name: one.id for one in layer.entries}
    for _ in range(LINKS):
        if modes.get(name) != LINK:
            return name if name in modes else None
        target = _stored_link(found, ids[name]) if name in ids else str((found.folder / name).readlink())
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return None


def _stored_link(found: Repository, identity: str) -> str:
    return os.fsdecode(repository.contents(found, [identity])[identity])


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
