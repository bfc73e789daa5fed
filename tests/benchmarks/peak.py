"""What a command takes: `python peak.py COMMAND ...` runs it and prints its peak memory, seconds and exit code.

In a process of its own, which imports next to nothing: Linux counts for a child what its parent held when it was made.
"""

import json
import os
import subprocess
import sys
import time

IN_KILOBYTES = 1024 if sys.platform == "darwin" else 1  # ru_maxrss is in bytes there


def main() -> None:
    started = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL) as process:  # noqa: S603 (what we are asked to run)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    kilobytes = usage.ru_maxrss / IN_KILOBYTES
    print(json.dumps({"megabytes": kilobytes * 1024 / 1e6, "seconds": seconds, "code": process.returncode}))


if __name__ == "__main__":
    main()
