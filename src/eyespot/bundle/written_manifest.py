"""A manifest as JSON: written with the hash of all that it says, and refused where that is not its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from eyespot.bundle.manifest import FORMAT_VERSION, Manifest
from eyespot.errors import BundleError
from eyespot.names import brief, quoted
from eyespot.records import Record
from eyespot.vouched import Changed, hash_of, read_json, require_unchanged

if TYPE_CHECKING:
    from eyespot.bundle.detector_manifest import DetectorManifest
    from eyespot.bundle.multilabel_manifest import MultilabelManifest

    AnyManifest = Manifest | DetectorManifest | MultilabelManifest

M = TypeVar("M", bound=Record)
VOUCHED_SINCE = 4
"""The format from which on a manifest without its hash is damaged."""


def vouched_for(manifest: M) -> M:
    """The same, of the newest format, with the hash of all that it says."""
    newest = manifest.model_copy(update={"format_version": FORMAT_VERSION, "sha256": None})
    return newest.model_copy(update={"sha256": hash_of(read_json(newest.model_dump_json().encode()))})


def read_manifest(data: bytes, what: str, *, again: str) -> AnyManifest:
    """The manifest in JSON of any format.

    what: holds it, as an error names that; again: what to do where it is damaged.
    Raises BundleError where it is damaged, of a newer version, or not what was written.
    """
    try:
        said = read_json(data)
        _require_known_version(said, what)
        manifest = _manifest_of_task(said).model_validate_json(data)
        require_unchanged(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = brief(".".join(str(step) for step in first["loc"])) or "the whole file"
        raise BundleError(f"{what} is not a valid manifest: {where}: {first['msg']}") from error
    except Changed:
        raise BundleError(f"{what} was changed since it was written, as its sha256 says: {again}") from None
    except ValueError as error:
        raise BundleError(f"{what} is damaged ({quoted(error)}): {again}") from error
    except RecursionError:
        raise BundleError(f"{what} is damaged (it is nested too deeply): {again}") from None
    if manifest.sha256 is None and manifest.format_version >= VOUCHED_SINCE:
        raise BundleError(f"{what} is damaged (its sha256 is missing): {again}")
    return manifest


def _require_known_version(said: Any, what: str) -> None:
    version = said.get("format_version") if isinstance(said, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleError(
            f"{what} has format version {version}; this eyespot reads up to {FORMAT_VERSION}: "
            "pip install --upgrade eyespot"
        )


def _manifest_of_task(said: Any) -> type[AnyManifest]:
    """The record that a file of this task is read as; naming classes starts without the others."""
    task = said.get("task") if isinstance(said, dict) else None
    if task == "detection":
        from eyespot.bundle.detector_manifest import DetectorManifest

        return DetectorManifest
    if task == "multilabel":
        from eyespot.bundle.multilabel_manifest import MultilabelManifest

        return MultilabelManifest
    return Manifest
