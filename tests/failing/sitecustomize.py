"""For processes with this folder in PYTHONPATH: a JPEG whose remark says so aborts, loops, waits or takes memory."""

import builtins
import os
import sys
import time

_REMARK = b"eyespot test: "
_import = builtins.__import__


def _load(self, load):
    remark = self.info.get("comment") or b""
    if remark == _REMARK + b"abort":
        os.abort()
    while remark == _REMARK + b"loop":
        pass
    while remark == _REMARK + b"wait":
        time.sleep(1)
    if remark == _REMARK + b"allocate":
        taken = []
        while True:
            taken.append(bytearray(2**24))
    return load(self)


def _import_and_patch(name, *given, **options):
    found = _import(name, *given, **options)
    module = sys.modules.get("PIL.ImageFile")
    file = getattr(module, "ImageFile", None)
    if file is not None and "load" in vars(file):
        builtins.__import__ = _import
        load = file.load
        file.load = lambda self: _load(self, load)
    return found


builtins.__import__ = _import_and_patch
