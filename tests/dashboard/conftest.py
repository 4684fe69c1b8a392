"""Three versions of a planted model, and the site of their runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import harness
from harness.dashboard import Site, write
from harness.nouns import Request, Response
from harness.pipeline import Run
from tests import versions
from tests.conftest import PlantedBackend

OLD = "Well: </script><script>window.hacked = 1</script> yes"
NEW = "Well: </script><script>window.hacked = 1</script> surely \u202e\"'<img src=x> no"


@dataclass
class Talking(PlantedBackend):
    """Beside its probabilities it says something, in the last version something else."""

    says: str = OLD

    def _answer(self, request: Request) -> Response:
        answer = super()._answer(request)

        return replace(answer, text=self.says)


SHIFTS = {"1.0": 0.0, "1.1": -0.1, "2.0": 0.0}


def finished(place: Path, version: str, **options) -> Run:
    """A finished run of a version under `place`, with its record in the ledger."""
    shift = {"70": options.pop("shift", SHIFTS.get(version, 0.0))}
    backend = Talking(
        versions.chance(shift, own=0.002, salt=version), identity_={"planted": version},
        says=NEW if version == "2.0" else OLD,
    )  # fmt: skip
    given = {"axes": ["age", "gender"], "limit": 12, "ledger": place / "ledger", **options}
    family = given.pop("family", "toy")
    return harness.run(versions.model(version, family=family), backend=backend,
                       out=place / "runs" / f"{family}-{version}", **given)  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ledger` and `runs` of three versions; not to be changed."""
    here = tmp_path_factory.mktemp("versions")
    for version in SHIFTS:
        finished(here, version)
    return here


@pytest.fixture(scope="session")
def site(place: Path) -> Site:
    made = Site(place / "ledger", place / "runs")
    made.build()
    return made


@pytest.fixture(scope="session")
def folder(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    write(site, out)
    return out
