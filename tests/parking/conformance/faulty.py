"""Which rule finds which fault of the simulator, and which faults are none of the meter."""

from typing import Any

# What is wrong, and the rules that must say so.
FAULTS: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": "offline"}, {"takes-plans"}),
    ({"kind": "gateway_cut"}, {"takes-plans"}),
    ({"kind": "drop"}, {"takes-plans"}),
    ({"kind": "error"}, {"takes-plans"}),
    ({"kind": "busy", "retry_after_s": 0}, {"takes-plans"}),
    ({"kind": "reset"}, {"takes-plans"}),
    ({"kind": "latency", "median_ms": 6000, "sigma": 0.1}, {"takes-plans"}),
    ({"kind": "maintenance"}, {"takes-plans"}),
    ({"kind": "light_fault"}, {"takes-plans"}),
    ({"kind": "ack_lost"}, {"takes-plans"}),
    ({"kind": "ignores_not_after"}, {"expired"}),
    ({"kind": "clock_off", "offset_s": 120.0}, {"clock-right"}),
    ({"kind": "stuck_light", "lamp": 1}, {"reports-changes", "shows-all-lights"}),
    ({"kind": "stuck_light", "lamp": 1, "honest": False}, {"tells-the-truth"}),
    ({"kind": "false_sensor"}, {"sees-cars"}),
    ({"kind": "stuck_sensor", "occupied": True}, {"sees-cars"}),
    ({"kind": "bad_signature", "probability": 0.3}, {"signs"}),
    ({"kind": "replay"}, {"never-repeats-itself"}),
    ({"kind": "reboot"}, {"stays-up"}),
    ({"kind": "careless", "about": "signature"}, {"wrong-signature", "no-signature"}),
    ({"kind": "careless", "about": "signature"}, {"unknown-key", "changed-body"}),
    ({"kind": "careless", "about": "skew"}, {"clock-skew"}),
    ({"kind": "careless", "about": "time"}, {"says-its-time"}),
    ({"kind": "careless", "about": "nonce"}, {"replay"}),
    ({"kind": "careless", "about": "second_key"}, {"both-keys"}),
    ({"kind": "careless", "about": "problem"}, {"problem-documents"}),
    ({"kind": "careless", "about": "malformed"}, {"malformed", "unknown-light"}),
    ({"kind": "careless", "about": "owner"}, {"not-yours"}),
    ({"kind": "careless", "about": "repeat"}, {"same-revision"}),
    ({"kind": "careless", "about": "revision"}, {"stale-revision"}),
    ({"kind": "careless", "about": "ack"}, {"one-end"}),
    ({"kind": "careless", "about": "silence"}, {"acknowledges"}),
    ({"kind": "careless", "about": "undo"}, {"supersedes"}),
    ({"kind": "careless", "about": "switching"}, {"own-clock", "neutral-after-the-end"}),
    ({"kind": "careless", "about": "exhausted"}, {"neutral-after-the-end"}),
    ({"kind": "careless", "about": "contact"}, {"keeps-its-plan"}),
    ({"kind": "careless", "about": "seq"}, {"counts-up"}),
    ({"kind": "careless", "about": "report"}, {"well-formed"}),
    ({"kind": "careless", "about": "heartbeat"}, {"heartbeat"}),
]
# What the network does, or a driver, or what a city reads off the desk.
NO_FAULTS: list[dict[str, Any]] = [
    {"kind": "latency"},
    {"kind": "duplicate"},
    {"kind": "reorder", "delay_s": 0.5},
    {"kind": "stampede"},
    {"kind": "nobody_comes"},
    {"kind": "no_sensor"},
    {"kind": "dying_battery"},
    {"kind": "clock_off", "offset_s": 400.0},  # refused by the site, and then put right
]
