"""What all rooms share: seeds, files, registries."""

import pandas as pd
import pytest
from scarceseq import registry, seeds
from scarceseq.errors import InputError
from scarceseq.files import atomic, read_table, write_table


def test_seeds_differ_by_key_and_seed_and_are_stable():
    drawn = {seeds.derive(1, "a", 1), seeds.derive(1, "a", 2), seeds.derive(2, "a", 1), seeds.derive(1, "a1")}
    assert len(drawn) == 4
    # printf '1\x1fa\x1f1' | sha256sum, first sixteen digits, halved
    assert seeds.derive(1, "a", 1) == 0xBB4092802E4F06CC >> 1


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("old")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["table.tsv"]


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz", "t.parquet"])
def test_tables_come_back_as_written_and_equal_tables_are_equal_bytes(tmp_path, name):
    table = pd.DataFrame({"gene": ["A", "NaN", None], "value": [0.1, 1e-300, float("nan")]})
    for folder in ("one", "two"):
        write_table(table, tmp_path / folder / name)
    back = read_table(tmp_path / "one" / name)
    pd.testing.assert_frame_equal(back, table, check_exact=True)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_unknown_registry_entry_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"no entry 'transformer9'.*mlp"):
        registry.load("pretrain.architectures", "transformer9")
