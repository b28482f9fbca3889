"""``python -m ae_cluster.cli``."""

import sys

from ae_cluster.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
