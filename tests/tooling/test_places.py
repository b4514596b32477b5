"""One command at a time uses a place; its sockets are reachable however deep the checkout lies."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts.places import LONGEST_SOCKET, BusyError, Place


def test_a_second_holder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    place = Place("run", tmp_path)
    with place.alone():
        with (
            pytest.raises(BusyError, match=f"process {os.getpid()}"),
            Place("run", tmp_path).alone(),
        ):
            pytest.fail("two commands hold the same place")
    with place.alone():
        pass


def test_a_holder_that_was_killed_leaves_the_place_free(tmp_path: Path) -> None:
    holding = (
        "import sys, time; from pathlib import Path; from scripts.places import Place\n"
        f"with Place('run', Path({str(tmp_path)!r})).alone():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(BusyError), Place("run", tmp_path).alone():
            pytest.fail("the place is held by another process")
        holder.kill()
        holder.wait()
        with Place("run", tmp_path).alone():
            pass


def test_sockets_stay_in_the_checkout_where_their_path_is_short() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        place = Place("run", Path(short))
        place.make()
        assert place.sockets() == place.home / "sockets"


def test_a_deep_checkout_gets_a_short_folder_that_stays_the_same_and_goes_with_it(
    tmp_path: Path,
) -> None:
    place = Place("run", tmp_path / ("deep" * 30))
    place.make()
    folder = place.sockets()
    assert not folder.is_relative_to(tmp_path)
    assert place.sockets() == folder
    with socket.socket(socket.AF_UNIX) as listener:
        (folder / LONGEST_SOCKET).parent.mkdir()
        listener.bind(str(folder / LONGEST_SOCKET))
    place.remove()
    assert not folder.exists()
    assert not place.home.exists()


def test_a_short_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    place = Place("run", tmp_path / ("deep" * 30))
    place.make()
    place.sockets().rmdir()
    assert place.sockets().is_dir()
    place.remove()
