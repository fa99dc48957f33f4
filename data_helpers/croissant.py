"""A card as Croissant 1.1: what search engines and loaders read of a dataset, with its hashes and its ethics.

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec.html and, for the fields on responsible use,
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from .cards import Card, File, parsed

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "arrayShape": "cr:arrayShape",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
FORMATS = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".tar": "application/x-tar",
    ".tgz": "application/gzip",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".zip": "application/zip",
}


def croissant(name: str) -> dict[str, Any]:
    """Return a dataset's Croissant 1.1 description as JSON-LD.

    Files that have an address and a hash are its distribution. The others, gated ones among them, are named in the
    description: the format has no place for a file without a hash.

    Raises
    ------
    UnknownNameError
        No card of that name.
    """
    card = parsed(name)
    files = [file for file in card.files if file.urls and (file.sha256 or file.md5)]
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": card.title,
        "description": _description(card, files),
        "url": card.homepage,
        "sameAs": [card.homepage_archived],
        "license": [card.licences.annotations, card.licences.images],
        "creator": [{"@type": "sc:Organization", "name": creator} for creator in card.creators or [card.title]],
        "datePublished": str(card.year),
        "keywords": card.keywords or card.tasks,
        "citeAs": f"{', '.join(card.creators) or card.title} ({card.year}). {card.title}. {card.homepage}",
        "isAccessibleForFree": card.access.route != "dead",
        "conditionsOfAccess": card.access.terms,
        "distribution": [_file(file) for file in files],
        "rai:dataUseCases": card.tasks,
        "rai:personalSensitiveInformation": [card.ethics.people, card.ethics.consent],
        "rai:dataLimitations": [f"{defect.what}: {defect.detail}" for defect in card.defects],
        "rai:dataReleaseMaintenancePlan": _maintenance(card),
    }
    return {key: value for key, value in described.items() if value not in ("", [])}


def _description(card: Card, files: list[File]) -> str:
    told = [card.purpose, f"Pictures: {card.licences.images}. Licence of each picture: {card.licences.per_image}."]
    missing = [file.name for file in card.files if file not in files]
    if missing:
        why = "which their owners hand out themselves or publish without a hash"
        told.append(f"Not listed here are {', '.join(missing)}, {why}.")
    return " ".join(told)


def _maintenance(card: Card) -> str:
    checked = max((file.verified for file in card.files), default="")
    parts = [f"How to be taken out: {card.ethics.opt_out}"]
    parts += [f"The addresses were last checked in {checked}."] if checked else []
    return " ".join(parts)


def _file(file: File) -> dict[str, Any]:
    suffix = PurePosixPath(file.name).suffix.lower()
    # One of the two hashes, not both: the format asks for it.
    hashed = {"sha256": file.sha256} if file.sha256 else {"md5": file.md5}
    size = {} if file.bytes is None else {"contentSize": f"{file.bytes} B"}
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "description": file.inside,
        "contentUrl": file.urls[0],
        **({"sameAs": file.urls[1:]} if file.urls[1:] else {}),
        **size,
        "encodingFormat": FORMATS.get(suffix, "application/octet-stream"),
        **hashed,
    }
