"""Keeps a result of `gpu.sh`: reads its JSON line, writes it to the given file with date, machine and commit.

Status 0 only if the line is a result and its numbers were equal.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from record import commit, machine

try:
    result = json.loads(sys.stdin.read())
except json.JSONDecodeError as error:
    sys.exit(f"the last line is no result: {error}")
found = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "commit": commit()}
Path(sys.argv[1]).write_text(json.dumps(result | found, indent=1, sort_keys=True) + "\n")
sys.exit(0 if result["equal"] else 1)
