"""Downloading weights, an explicit step: ``python -m engine.weights MODEL:TAG --folder DIR``.

Which file belongs to a tag of CLIP is open_clip's own table; size and hash are asked of the host.
For RAFT and Mask R-CNN it is torchvision's, whose file names hold how their hash begins. The
download goes on where it was interrupted and is checked by its hash. Jobs find it afterwards.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path

from .client import download
from .client.packages import File, Unfit
from .contract.events import EngineError


def source(name: str) -> File:
    """Return the file that belongs to MODEL:TAG. Raises EngineError or Unfit with a sentence.

    It is the one in the hub's repository that open_clip's table names. OpenAI's own archive holds
    the same weights and loads too; it is taken where that repository holds none.
    """
    from .stylization.encoder import weights_source

    model, _, tag = name.partition(":")
    tag = tag or "openai"
    known = of_torchvision(model, tag) or weights_source(model, tag)
    repository, names, url, sha256 = known
    try:
        found = in_repository(model, tag, repository, names)
        if found is None and url and sha256:
            found = File(model, tag, url, size_at(url), sha256)
    except (OSError, ValueError) as error:
        raise Unfit(
            f"Nothing is known of the weights {name}, because their host cannot be reached "
            f"({getattr(error, 'reason', None) or error}): check the network, or name a "
            f"file you have, as in {model}:/path/to/weights.safetensors"
        ) from error
    if found is None:
        raise Unfit(
            f"{repository or name} gives out no weights that are known: name a file you have"
        )
    return found


def of_torchvision(model: str, tag: str) -> tuple[str, tuple[str, ...], str, str] | None:
    """Return what `weights_source` does of RAFT or Mask R-CNN: an address, a hash's first digits.

    None for other models. Raises EngineError where there is no such tag.
    """
    from .video import detector, raft
    from .video.weights import source as source_of

    return ("", (), *source_of(model, tag)) if model in (*raft.MODELS, *detector.MODELS) else None


def size_at(url: str) -> int:
    """Return how many bytes an address holds, 0 where its host does not say."""
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request, timeout=download.TIMEOUT) as answer:
        return int(answer.headers.get("Content-Length") or 0)


def in_repository(model: str, tag: str, repository: str, names: tuple[str, ...]) -> File | None:
    """Return the first of the files ``names`` that a repository of the hub holds, None without.

    Large files there bear their sha256. The address is the hub's own, not that of the storage
    behind it: it says the file's name, and it is still good when the download goes on later.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    for name in names:
        try:
            facts = get_hf_file_metadata(hf_hub_url(repository, name))
        except (EntryNotFoundError, RepositoryNotFoundError):
            continue
        except OSError:
            raise
        except Exception as error:  # no network: of whichever library the hub's client goes by
            raise OSError(str(error)) from error
        if not facts.etag or len(facts.etag) != 64:
            raise Unfit(f"{repository} states no hash of its weights: download them by hand")
        url = hf_hub_url(repository, name, revision=facts.commit_hash)
        return File(model, tag, url, facts.size or 0, facts.etag)
    return None


def fetch(file: File, folder: Path, progress: Path | None) -> Path:
    """Download the file into its own folder below ``folder`` and return its path."""
    place = folder / f"{file.name}--{file.version}"
    lacking = download.room_for(file.size, folder)
    if lacking:
        raise Unfit(f"The disk with {folder} lacks {lacking / 1e9:.1f} GB: free some space")
    download.fetch_all([file], place, progress)
    return place / file.file_name


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a failure is one sentence, the last line that is printed."""
    parser = argparse.ArgumentParser(prog="python -m engine.weights", description=__doc__)
    parser.add_argument(
        "name", metavar="MODEL:TAG", help="such as ViT-L-14:openai or raft_large:C_T_V1"
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--progress", type=Path, help="a file that says how far it is")
    options = parser.parse_args(arguments)
    try:
        print(fetch(source(options.name), options.folder, options.progress))
    except Unfit as error:
        print(error)
        return 1
    except EngineError as error:
        print(error.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
