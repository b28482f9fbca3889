"""``python -m ae_cluster``, which is ``ae-cluster``; ``torchrun -m ae_cluster`` starts several."""

import sys

from ae_cluster.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
