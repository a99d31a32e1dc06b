"""Use the engine from a program of your own: write a job folder, start the engine, follow it.

    .venv/bin/python examples/without_blender.py FRAMES_FOLDER "a swan made of bronze" JOB_FOLDER

Needs the standard library only; the engine runs in another process, with the Python that runs
this script. On the command line the same is `python -m engine stylize`.
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from engine.client import process  # noqa: E402  the engine is found beside the examples
from engine.client.status import JobReader, Phase, Status  # noqa: E402
from engine.contract.folder import JobFolder  # noqa: E402
from engine.contract.job import (  # noqa: E402
    Footage,
    FootageKind,
    JobSpec,
    TargetObject,
    TargetTexts,
)
from engine.contract.settings import preset  # noqa: E402


def main(frames: str, text: str, job: str, *, verb: str = "run") -> Status:
    """Stylize what moves in a folder of images; returns the last status.

    ``verb`` may be ``rehearse``: the same events and files, with no work.
    """
    swan = TargetObject(TargetTexts(text))  # found by its motion
    footage = Footage(FootageKind.IMAGES, str(Path(frames).absolute()))
    folder = JobFolder(Path(job).absolute())
    folder.write_spec(JobSpec(footage, (swan,), settings=preset("draft")))
    engine = process.start(process.Launch(Path(sys.executable), ROOT, verb=verb), folder.path)
    reader = JobReader(folder.path)
    while engine.poll() is None:
        print(f"\r{reader.poll().label:60}", end="", flush=True)
        time.sleep(0.2)
    status = reader.poll()
    print(f"\r{status.label:60}\n{status.message} {status.hint}".rstrip())
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]).phase is not Phase.FINISHED)
