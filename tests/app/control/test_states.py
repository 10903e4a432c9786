"""The table of states: each way leads to exactly one final state, and code that leaves the table fails."""

import pytest

from app.control.states import FINAL, STATES, State, WrongMove, check


def reachable(state):
    """The states that may follow, after any number of moves."""
    seen, ahead = set(), [state]
    while ahead:
        for after in STATES[ahead.pop()].next:
            if after not in seen:
                seen.add(after)
                ahead.append(after)
    return seen


def test_every_state_is_in_the_table_and_reached_by_a_new_order():
    assert set(STATES) == set(State)
    assert {State.SCHEDULED} | reachable(State.SCHEDULED) == set(State)


def test_from_every_open_state_an_order_can_end_and_from_a_final_one_it_goes_nowhere():
    for state in State:
        assert (state in FINAL) == (reachable(state) == set())
        assert state in FINAL or reachable(state) & FINAL
    assert {"verified", "not-applied", "unproven", "expired", "cancelled", "superseded", "external", "failed"} == FINAL


@pytest.mark.parametrize(
    ("before", "after"),
    [("verified", "not-applied"), ("cancelled", "superseded"), ("scheduled", "verified"), ("taken", "scheduled")],
)
def test_a_move_that_is_not_in_the_table_is_an_error(before, after):
    with pytest.raises(WrongMove, match=f"from {before} to {after}"):
        check(before, State(after))
    check(before, State(before))
