"""A folder that all may write to, in which another user has laid traps for a run."""
import os
import shutil
import subprocess
from ledgers import CutShort, content, output, pipeline

STRANGER, USER = 65534, 12345
ENDINGS = [".csv", ".arrow", ".parquet", ".nc", ""]


class Strangers(CutShort):
    """Needs root, who alone may become others, and a folder that others may look into."""

    def __init__(self, tidemill, root):
        super().__init__(tidemill, root)
        self.may_become_others = False
        if os.geteuid() == 0:
            try:
                subprocess.run([tidemill, "--version"], user=USER, group=USER, extra_groups=[], check=True,
                               stdout=subprocess.DEVNULL)
                self.may_become_others = True
            except PermissionError:
                print(f"strangers: others may not look into {root}: left out")

    def trial(self, folder, dice, rules):
        if not self.may_become_others:
            return
        where, victims = folder / "run", folder / "others"
        runner = dice.choice([0, USER])
        for path in [victims, *victims.rglob("*"), where / "others", *(where / "others").rglob("*")]:
            os.chown(path, runner, runner, follow_symlinks=False)
        folder.chmod(0o755)
        where.chmod(0o1777)
        ending = dice.choice(ENDINGS)
        (where / "p.yaml").write_text(pipeline(ending))
        out, ledger = output(where, ending), where / ".tidemill" / output(where, ending).name
        trap = dice.choice([self.ran, self.cut, self.linked_out, self.linked_ledger, self.linked_record,
                            self.squatted, self.owned, self.hard_link])
        trap(folder, dice, out, ledger, victims)
        before = rules.look(folder)
        rules.seen[folder] = before
        more = dice.choice([[], ["--overwrite"], ["--no-state"], ["--no-state", "--overwrite"]])
        end = rules.run(folder, *self.arguments(dice), *more, seconds=40, user=runner)
        if end.code == 0:
            assert content(out) == self.good[ending], f"a wrong result after {trap.__name__}, and exit code 0"

    def as_stranger(self, folder, dice, seconds=None):
        command = [self.tidemill, *self.arguments(dice)]
        child = subprocess.Popen(command, cwd=folder / "run", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 user=STRANGER, group=STRANGER, extra_groups=[])
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def ran(self, folder, dice, out, ledger, victims):
        """The stranger has run the same, and then changed what came out, or what is noted of it."""
        self.as_stranger(folder, dice)
        paths = [p for p in [*ledger.rglob("*"), out, *out.rglob("*")] if p.is_file()]
        for path in dice.sample(paths, min(len(paths), 2)):
            path.write_bytes(path.read_bytes().replace(b"1", b"7"))

    def cut(self, folder, dice, out, ledger, victims):
        """The stranger's run was killed, and what it staged is now a link to somebody's file."""
        self.as_stranger(folder, dice, 0.05 + dice.random() * 0.3)
        for path in out.parent.glob(f"{out.name}.partial-*"):
            if path.is_dir():
                shutil.rmtree(path)
                self.link(path, victims / "deep")
            else:
                path.unlink()
                self.link(path, victims / "notes.txt")

    def linked_out(self, folder, dice, out, ledger, victims):
        self.link(out, dice.choice([victims / "deep", victims / "notes.txt", victims / "fifo"]))

    def linked_ledger(self, folder, dice, out, ledger, victims):
        self.link(ledger.parent, victims / "deep")

    def linked_record(self, folder, dice, out, ledger, victims):
        self.as_stranger(folder, dice, 0.2)
        for path in [p for p in ledger.rglob("*") if p.is_file()]:
            path.unlink()
            self.link(path, victims / "notes.txt")

    def squatted(self, folder, dice, out, ledger, victims):
        """Whatever name the staged output will have, the stranger has had it before."""
        self.as_stranger(folder, dice, 0.2)
        names = [p.name for p in out.parent.glob(f"{out.name}.partial-*")]
        shutil.rmtree(ledger.parent, ignore_errors=True)
        for name in names:
            path = out.parent / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            dice.choice([lambda: self.link(path, victims / "notes.txt"), lambda: os.mkfifo(path),
                         lambda: path.mkdir(), lambda: path.write_text("squatted")])()
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)

    def owned(self, folder, dice, out, ledger, victims):
        """An output of the stranger's is there."""
        self.as_stranger(folder, dice)

    def hard_link(self, folder, dice, out, ledger, victims):
        os.link(victims / "notes.txt", out)

    def link(self, path, target):
        path.symlink_to(target)
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
