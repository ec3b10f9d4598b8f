"""The size on disk of eyespot installed without extras, in a new environment, by package.

    python benchmarks/installed_size.py

Installs this checkout with everything it needs from the package index; pip itself is not counted. Sizes are those of
the files, compiled Python files included; 1 MB is 1e6 bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import measuring
from measuring import at_most

BAR = at_most(350, "MB", "the base install takes at most 350 MB")
CHECKOUT = Path(__file__).resolve().parents[1]
INSTALLERS = {"pip", "setuptools", "wheel"}


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--checkout", type=Path, default=CHECKOUT, help="what is installed (default this checkout)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "environment"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", options.checkout], check=True)
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site_packages = subprocess.run([python, "-c", asked], stdout=subprocess.PIPE, text=True, check=True).stdout
        sizes = sizes_by_package(Path(site_packages.strip()))
    for package, size in sorted(sizes.items(), key=lambda each: -each[1]):
        print(f"{package:32}{size / 1e6:10.1f} MB")
    total = sum(sizes.values())
    print(f"{'in all':32}{total / 1e6:10.1f} MB = {total / 2**20:.1f} MiB")
    print(BAR.verdict(total / 1e6))


def sizes_by_package(site_packages: Path) -> dict[str, int]:
    """Bytes of every package's files in the folder, without the installers."""
    folder = site_packages.resolve()
    installed = list(distributions(path=[str(folder)]))
    left = {path for path in folder.rglob("*") if path.is_file()}
    sizes = {}
    for each in installed:
        files = _files(each, folder) & left
        left -= files
        if each.name not in INSTALLERS:
            sizes[each.name] = sum(path.stat().st_size for path in files)
    sizes["files of no package"] = sum(path.stat().st_size for path in left)
    return sizes


def _files(distribution: Distribution, folder: Path) -> set[Path]:
    return {(folder / file).resolve() for file in distribution.files or ()}


if __name__ == "__main__":
    main()
