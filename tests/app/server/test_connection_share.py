from app.server.connection_share import SLOTS, Share


def test_who_has_more_connections_than_another_leaves_the_next_one_to_it():
    first, second = Share(SLOTS), Share(SLOTS + 1)
    try:
        assert not first.is_above_others, "both have none"
        first.tell(2)
        second.tell(1)
        assert first.is_above_others
        assert not second.is_above_others
        second.tell(2)
        assert not first.is_above_others
    finally:
        first.leave()
        second.leave()


def test_a_worker_that_has_ended_gets_no_connections_left():
    alone, ended = Share(SLOTS), Share(SLOTS + 1)
    try:
        alone.tell(5)
        assert alone.is_above_others
        ended.leave()
        assert not alone.is_above_others
    finally:
        alone.leave()
