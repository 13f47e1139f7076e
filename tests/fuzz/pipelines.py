"""Mutants of the example pipelines: checked, explained, and run where that is small."""
from pathlib import Path

from mutate import garbled

ROOT = Path(__file__).parent.parent.parent


class Pipelines:
    def __init__(self, tidemill, root):
        kept = list(ROOT.glob("pipelines/*.yaml")) + list(ROOT.glob("tests/cases/*.yaml"))
        # Mutants of those that start Python would start whatever the mutation names.
        self.texts = [path.read_text() for path in sorted(kept) if not path.stem.endswith("_python")]

    def trial(self, folder, dice, rules):
        where = folder / "run"
        (where / "data").symlink_to(ROOT / "data")
        (where / "p.yaml").write_bytes(garbled(dice.choice(self.texts), dice).encode(errors="surrogatepass"))
        checked = rules.run(folder, "check", "p.yaml")
        explained = rules.run(folder, "explain", "p.yaml")
        assert checked.code in (0, 2, 3), f"check ended with {checked.code}: {checked.err[:300]}"
        assert checked.code == explained.code, f"check ends with {checked.code}, explain with {explained.code}"
        if checked.code == 0 and dice.random() < 0.5:
            # The size of the job is whatever the mutation made of it: only tests are known to be small.
            rules.run(folder, "test", "p.yaml", "-w", dice.choice([1, 3]), seconds=20, bounded=False)
        else:
            assert sorted(p.name for p in where.iterdir()) == ["data", "others", "p.yaml"], "check left something"
