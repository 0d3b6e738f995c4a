"""S3's stand-in: buckets are folders in the rehearsal's home, and objects are files."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from curtainup.rehearsal.aws.common import AwsError, region_of, tags_of, told
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import CloudError, Found, Kind, Made, Properties

_BUCKET = re.compile(r"(?!xn--|sthree-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DATE_TIME = (1980, 1, 1, 0, 0, 0)


def folder(home: Home, bucket: str) -> Path:
    """Return the folder of a bucket's objects."""
    return home.clouds / "s3" / bucket


def content(home: Home, bucket: str, key: str) -> bytes:
    """Return an object's bytes.

    Raises:
        AwsError: the object does not exist.

    """
    file = folder(home, bucket) / _file_name(key)
    if not file.is_file():
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    return file.read_bytes()


class Bucket(Kind):
    """`aws:s3/bucket:Bucket`."""

    token = "aws:s3/bucket:Bucket"  # noqa: S105
    named_by = "bucket"
    replaced_by = frozenset({"bucket", "bucketPrefix", "region", "objectLockEnabled"})
    computed = ("arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "region", "tagsAll")

    def create(self, inputs: Properties) -> Made:
        """Create the folder."""
        name, region = inputs["bucket"], region_of(self.cloud, inputs)
        with told(f"creating S3 Bucket ({name})", "S3", "CreateBucket"):
            if not _BUCKET.fullmatch(name):
                raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
            place = folder(self.cloud.home, name)
            if place.exists():
                message = "Your previous request to create the named bucket succeeded and you already own it."
                raise AwsError("BucketAlreadyOwnedByYou", message, 409)
            place.mkdir(parents=True)
        return Made(name, _bucket_outputs(name, region, tags_of(self.cloud, inputs)))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002
        """Change the tags."""
        return _bucket_outputs(
            id, outputs.get("region") or region_of(self.cloud, inputs), tags_of(self.cloud, inputs)
        )

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        return Found(outputs=outputs) if folder(self.cloud.home, id).is_dir() else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the bucket; if it has objects, only if `forceDestroy` says so."""
        place = folder(self.cloud.home, id)
        with told(f"deleting S3 Bucket ({id})", "S3", "DeleteBucket"):
            if place.is_dir() and any(place.iterdir()) and not outputs.get("forceDestroy"):
                message = "The bucket you tried to delete is not empty"
                raise AwsError("BucketNotEmpty", message, 409)
        shutil.rmtree(place, ignore_errors=True)


class BucketV2(Bucket):
    """The same under its older name."""

    token = "aws:s3/bucketV2:BucketV2"  # noqa: S105


class Object(Kind):
    """`aws:s3/bucketObject:BucketObject`."""

    token = "aws:s3/bucketObject:BucketObject"  # noqa: S105
    replaced_by = frozenset({"bucket", "key", "region"})
    computed = ("arn", "etag", "versionId", "tagsAll", "checksumSha256")
    changing = ("etag", "versionId")
    named_by = "key"

    def create(self, inputs: Properties) -> Made:
        """Write the file."""
        return Made(inputs["key"], self._write(inputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Write the file again."""
        return self._write(inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the object and its content, or None if it is gone."""
        try:
            found = content(self.cloud.home, outputs["bucket"], id)
        except AwsError:
            return None
        return Found(outputs={**outputs, "etag": _etag(found)})

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the file."""
        (folder(self.cloud.home, outputs["bucket"]) / _file_name(id)).unlink(missing_ok=True)

    def _write(self, inputs: Properties) -> dict[str, Any]:
        bucket, key = inputs["bucket"], inputs["key"]
        place = folder(self.cloud.home, bucket)
        with told(f"uploading S3 Object ({key}) to Bucket ({bucket})", "S3", "PutObject"):
            if not place.is_dir():
                raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        data = _data(inputs)
        (place / _file_name(key)).write_bytes(data)
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        known = {"arn": f"arn:aws:s3:::{bucket}/{key}", "etag": _etag(data), "versionId": ""}
        return {**known, "tagsAll": tags_of(self.cloud, inputs), "checksumSha256": checksum}


class ObjectV2(Object):
    """The same under its older name."""

    token = "aws:s3/bucketObjectv2:BucketObjectv2"  # noqa: S105


def _bucket_outputs(name: str, region: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "hostedZoneId": "Z3AQBSTGFYJSTF",
        "region": region,
        "tagsAll": tags,
    }


def _file_name(key: str) -> str:
    return key.replace("%", "%25").replace("/", "%2F")


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _data(inputs: Mapping[str, Any]) -> bytes:
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"])
    if inputs.get("content") is not None:
        return str(inputs["content"]).encode()
    return _asset(inputs.get("source"))


def _asset(source: Any) -> bytes:
    if isinstance(source, pulumi.StringAsset):
        return source.text.encode()
    if isinstance(source, pulumi.FileAsset | pulumi.FileArchive):
        path = Path(source.path)
        return path.read_bytes() if path.is_file() else _zipped(_files(path))
    if isinstance(source, pulumi.AssetArchive):
        return _zipped({name: _asset(asset) for name, asset in source.assets.items()})
    raise CloudError("uploading S3 Object: source cannot be read")


def _files(folder_: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder_)): file.read_bytes()
        for file in sorted(folder_.rglob("*"))
        if file.is_file()
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an archive; equal files give equal archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE_TIME), data)
    return buffer.getvalue()


class _Part(Kind):
    """A part of a bucket's configuration; each bucket has one."""

    replaced_by = frozenset({"bucket", "region"})

    def create(self, inputs: Properties) -> Made:
        """Accept the configuration, if the bucket exists."""
        with told(f"creating {type(self).__name__} ({inputs['bucket']})", "S3", f"Put{type(self).__name__}"):
            if not folder(self.cloud.home, inputs["bucket"]).is_dir():
                raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        return Made(inputs["bucket"], {})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Accept the change."""
        return {}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the configuration, or None if the bucket is gone."""
        return Found(outputs=outputs) if folder(self.cloud.home, id).is_dir() else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the configuration."""


def _part(name: str) -> type[Kind]:
    kind = name[0].lower() + name[1:]
    return type(name, (_Part,), {"token": f"aws:s3/{kind}:{name}", "__doc__": f"`aws:s3/{kind}:{name}`."})


PARTS = tuple(
    _part(name)
    for name in (
        "BucketPublicAccessBlock",
        "BucketServerSideEncryptionConfiguration",
        "BucketServerSideEncryptionConfigurationV2",
        "BucketVersioning",
        "BucketVersioningV2",
        "BucketLifecycleConfiguration",
        "BucketLifecycleConfigurationV2",
        "BucketOwnershipControls",
        "BucketPolicy",
    )
)
"""The resource types of a bucket's configuration; none of them changes what the stand-in does."""

KINDS: tuple[type[Kind], ...] = (Bucket, BucketV2, Object, ObjectV2, *PARTS)
