"""A `.h5ad` that is broken in any way, or brings in what is not in it, is one error that names it and the remedy."""

import os
import signal

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scarceseq import user_h5ad
from scarceseq.archive.user_tables import read_counts
from scarceseq.errors import InputError
from scarceseq.screen.rows import CellFile
from scarceseq.user_h5ad import read_whole
from scipy import sparse

CELLS, GENES = 30, 7


def make(path, form="csr"):
    """A small file of counts, and its AnnData."""
    generator = np.random.default_rng(0)
    counts = generator.poisson(1.0, (CELLS, GENES)).astype(np.float32)
    obs = pd.DataFrame({"target": pd.Categorical(generator.choice(["NT", "A"], CELLS)), "depth": np.arange(CELLS)})
    data = anndata.AnnData(counts, obs=obs.set_index(obs.index.astype(str)), layers={"counts": counts.copy()})
    data.var_names = [f"G{gene}" for gene in range(GENES)]
    if form != "dense":
        data.X = sparse.csr_matrix(counts) if form == "csr" else sparse.csc_matrix(counts)
    data.write_h5ad(path)
    return data


def read_all(path):
    """Every value and table, as a screen reads them."""
    with CellFile(path) as source:
        return [block.toarray() for _, _, block in source.blocks()], source.obs, source.var


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_what_is_whole_is_read_as_anndata_reads_it(tmp_path, form):
    data = make(tmp_path / "whole.h5ad", form)
    blocks, obs, var = read_all(tmp_path / "whole.h5ad")
    expected = anndata.read_h5ad(tmp_path / "whole.h5ad")
    np.testing.assert_array_equal(np.concatenate(blocks), data.to_df().to_numpy())
    pd.testing.assert_frame_equal(obs, expected.obs)
    pd.testing.assert_frame_equal(var, expected.var, check_column_type=False)
    values, obs, var = read_whole(tmp_path / "whole.h5ad", "counts")
    np.testing.assert_array_equal(values, data.layers["counts"])


def replaced(handle, name, value):
    del handle[name]
    handle[name] = value


def remade(handle, name, attribute, value):
    handle[name].attrs[attribute] = value


def external(handle, name):
    with h5py.File("elsewhere.h5", "w") as other:
        other["secret"] = np.ones((CELLS, GENES))
    replaced(handle, name, h5py.ExternalLink("elsewhere.h5", "/secret"))


def stored_elsewhere(handle, name):
    np.ones((CELLS, GENES)).tofile("raw.bin")
    del handle[name]
    size = CELLS * GENES * 8
    handle.create_dataset(name, shape=(CELLS, GENES), dtype="f8", external=[("raw.bin", 0, size)])


def virtual(handle, name):
    layout = h5py.VirtualLayout(shape=(CELLS, GENES), dtype="f8")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "secret", shape=(CELLS, GENES))
    del handle[name]
    handle.create_virtual_dataset(name, layout)


def absurd(handle, name):
    del handle[name]
    handle.create_dataset(name, shape=(CELLS, 10**12), dtype="f4", chunks=(1, 1000))


def many_cells(handle):
    del handle["obs/_index"]
    handle.create_dataset("obs/_index", shape=(10**11,), dtype=h5py.string_dtype(), chunks=(1000,))
    remade(handle, "obs/_index", "encoding-type", "string-array")
    remade(handle, "obs/_index", "encoding-version", "0.2.0")


def objects(handle, name):
    del handle[name]
    handle.create_dataset(name, data=np.array([["1"] * GENES] * CELLS, dtype=object), dtype=h5py.string_dtype())


# What is done to a file, and words of the error.
BROKEN = {
    "no_x": (lambda h: h.__delitem__("X"), "has no X"),
    "no_obs": (lambda h: h.__delitem__("obs"), "has no 'obs'"),
    "obs_number": (lambda h: replaced(h, "obs", 3.0), "cannot be read as .h5ad"),
    "obs_unknown": (lambda h: remade(h, "obs", "encoding-type", "table-of-2035"), "cannot be read as .h5ad"),
    "obs_version": (lambda h: remade(h, "obs", "encoding-version", "9.9"), "cannot be read as .h5ad"),
    "x_unknown": (lambda h: remade(h, "X", "encoding-type", "coo_matrix"), "stored as 'coo_matrix'"),
    "x_objects": (lambda h: objects(h, "X"), "not numbers"),
    "x_compound": (lambda h: replaced(h, "X", np.zeros(CELLS, dtype=[("a", "f4")])), "not numbers"),
    "x_shape": (lambda h: remade(h, "X", "shape", [2**60, GENES]), "do not fit"),
    "x_other_genes": (lambda h: remade(h, "X", "shape", [CELLS, GENES + 1]), "do not fit"),
    "x_pointers": (lambda h: replaced(h, "X/indptr", h["X/indptr"][()][::-1]), "do not fit"),
    "x_indices": (lambda h: replaced(h, "X/indices", h["X/indices"][()] + 10**6), "lies beyond"),
    "x_negative": (lambda h: replaced(h, "X/indices", h["X/indices"][()] - 3), "lies beyond"),
    "x_short": (lambda h: replaced(h, "X/data", h["X/data"][()][:-4]), "do not fit"),
    "x_absurd": (lambda h: absurd(h, "X"), "has shape"),
    "cells_absurd": (many_cells, "says that it has shape"),
    "x_linked": (lambda h: external(h, "X"), "is a link to elsewhere.h5"),
    "data_linked": (lambda h: external(h, "X/data"), "is a link to elsewhere.h5"),
    "layers_linked": (lambda h: external(h, "layers/counts"), "is a link to elsewhere.h5"),
    "obs_linked": (lambda h: external(h, "obs"), "is a link to elsewhere.h5"),
    "column_linked": (lambda h: external(h, "obs/depth"), "is a link to elsewhere.h5"),
    "var_linked": (lambda h: external(h, "var"), "is a link to elsewhere.h5"),
    "soft_link": (lambda h: replaced(h, "X", h5py.SoftLink("/layers/counts")), "is a link to /layers/counts"),
    "x_elsewhere": (lambda h: stored_elsewhere(h, "X"), "stored in another file, raw.bin"),
    "x_virtual": (lambda h: virtual(h, "X"), "a virtual data set"),
    "codes": (lambda h: replaced(h, "obs/target/codes", np.full(CELLS, 99, dtype=np.int8)), "cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("reader", [read_all, lambda path: read_counts(str(path), "mine")], ids=["screen", "study"])
def test_a_broken_file_is_refused_with_its_name_and_the_remedy(tmp_path, monkeypatch, name, reader):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "broken.h5ad"
    make(path)
    damage, words = BROKEN[name]
    with h5py.File(path, "r+") as handle:
        if name != "layers_linked" and reader is not read_all:
            del handle["layers/counts"]  # from which a study's counts are taken first
        damage(handle)
    with pytest.raises(InputError) as raised:
        reader(path)
    message = str(raised.value)
    assert "broken.h5ad" in message
    assert words in message
    assert any(word in message for word in ("fetch", "write", "name the layer"))


def read_in_a_process(path):
    """What a process of its own, as a job is one, says of a file: its refusal, or nothing where it was read.

    In one process, libhdf5 2.0 crashes sooner or later after hundreds of damaged files.
    """
    receiving, sending = os.pipe()
    if not (child := os.fork()):
        signal.alarm(30)
        try:
            blocks, obs, var = read_all(path)
            answer = "" if np.concatenate(blocks).shape == (len(obs), len(var)) else "read with other shapes"
        except InputError as error:
            answer = str(error)
        except BaseException as error:
            answer = f"another error: {error!r}"
        os.write(sending, answer.encode()[:4000])
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as stream:
        answer = stream.read()
    assert os.waitpid(child, 0)[1] == 0, "ended by a signal"
    return answer


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.booleans(),
    place=st.floats(0, 1, exclude_max=True),
    bits=st.integers(1, 255),
    form=st.sampled_from(["csr", "csc", "dense"]),
)
@example(cut=False, place=0.5232306590379838, bits=2, form="dense")  # libhdf5 2.0 crashes on an attribute
def test_a_file_cut_or_changed_anywhere_is_read_or_refused_by_one_kind_of_error(tmp_path, cut, place, bits, form):
    whole, path = tmp_path / f"{form}.h5ad", tmp_path / "damaged.h5ad"
    if not whole.exists():
        make(whole, form)
    content = bytearray(whole.read_bytes())
    at = int(place * len(content))
    if cut:
        del content[at:]
    else:
        content[at] ^= bits
    path.write_bytes(content)
    refusal = read_in_a_process(path)
    assert "damaged.h5ad" in refusal or not (refusal or cut)


def test_a_file_on_which_hdf5_crashes_is_refused_and_the_process_goes_on(tmp_path, monkeypatch):
    make(tmp_path / "damaged.h5ad")
    monkeypatch.setattr(user_h5ad, "_read_texts", lambda _: os.kill(os.getpid(), signal.SIGSEGV))
    with pytest.raises(InputError, match=r"damaged\.h5ad: the HDF5 library crashes on this file"):
        read_all(tmp_path / "damaged.h5ad")


def test_a_compound_table_is_read_as_anndata_reads_it(tmp_path):
    path = tmp_path / "old.h5ad"
    obs = np.zeros(CELLS, dtype=[("index", "S8"), ("target", "<i4"), ("depth", "<f8"), ("lane", "S3")])
    obs["index"] = [f"c{cell}" for cell in range(CELLS)]
    obs["target"] = np.arange(CELLS) % 3
    obs["lane"] = [f"l{cell % 2}" for cell in range(CELLS)]
    var = np.zeros(GENES, dtype=[("index", "S8"), ("chromosome", "<i4")])
    var["index"] = [f"G{gene}" for gene in range(GENES)]
    with h5py.File(path, "w") as handle:
        handle["X"] = np.ones((CELLS, GENES), dtype=np.float32)
        handle["obs"], handle["var"] = obs, var
        handle["uns/target_categories"] = np.array([b"NT", b"A", b"B"])
        handle["uns/chromosome_categories"] = np.array([b"1"])
    expected = anndata.read_h5ad(path)
    _, obs, var = read_all(path)
    pd.testing.assert_frame_equal(obs, expected.obs, check_names=False)
    pd.testing.assert_frame_equal(var, expected.var, check_names=False)


def test_a_file_that_is_its_own_group_does_not_end_in_a_circle(tmp_path):
    make(tmp_path / "circle.h5ad")
    with h5py.File(tmp_path / "circle.h5ad", "r+") as handle:
        handle["uns/again"] = handle["uns"]
    assert len(read_all(tmp_path / "circle.h5ad")[1]) == CELLS
