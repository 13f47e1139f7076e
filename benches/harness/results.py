"""What was measured, a file of JSON for each job: the page is made of all of them."""
import json


class Results:
    """A folder of results."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, name, result):
        (self.folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")

    def get(self, name):
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else None
