"""What a long job says while it runs."""

import logging

from scarceseq import progress


def test_items_come_in_order_and_the_time_left_is_said_from_time_to_time(monkeypatch, caplog):
    now = iter(range(0, 1000, 20))  # each look at the clock is 20 s after the one before
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(now)))
    with caplog.at_level(logging.INFO):
        assert list(progress.follow(iter("abcde"), "letters")) == list("abcde")
    # the clock says 40 s before the second item, 60 s before the third, ...
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 5 letters, about 160 s left",
        "3 of 5 letters, about 53 s left",
    ]


def test_short_jobs_say_nothing(caplog):
    with caplog.at_level(logging.INFO):
        assert list(progress.follow([], "letters")) == []
        assert list(progress.follow("abc", "letters")) == list("abc")
    assert caplog.records == []


def test_progress_counts_all_samples_since_the_start_however_seldom_it_is_told(monkeypatch, caplog):
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    caplog.set_level("INFO")
    progress.StepProgress(100, 400, 64).report(150, 0.5)
    assert caplog.messages == ["step 150/400  loss 0.5000  320 samples/s  50 s left"]
