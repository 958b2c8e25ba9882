"""The Senate's decisions: from the state and what is asked, to changes or a refusal. No I/O, no clock, no chance."""
