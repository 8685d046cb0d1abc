# SPDX-License-Identifier: MIT
"""Stream rules and activity subscriptions: adding, deleting, listing."""
import time

import xquery
from xstate import invalid, iso

MOST_RULES, RULE_LENGTH, MOST_SUBSCRIPTIONS = 1000, 1024, 1500


def _shown(rule_id, rule):
    out = {"id": rule_id, "value": rule["value"]}
    if rule["tag"]:
        out["tag"] = rule["tag"]
    return out


def _sent(state):
    return iso(state.clock.now_ms())


def listed(state, query):
    ids = query.get("ids")
    rules = [_shown(i, r) for i, r in state.live_rules().items() if not ids or i in ids.split(",")]
    answer = {"meta": {"sent": _sent(state), "result_count": len(rules)}}
    return 200, {"data": rules, **answer} if rules else answer


def changed(state, query, body):
    everything = query.get("delete_all") == "true"
    if ("add" in body) + ("delete" in body) + everything != 1:
        raise invalid("Exactly one of add, delete and delete_all is wanted.", add=body.get("add", ""))
    dry = query.get("dry_run") == "true"
    if "add" in body:
        return _add(state, body["add"], dry)
    chosen = body.get("delete", {})
    ids, values = set(chosen.get("ids", [])), set(chosen.get("values", []))
    gone = [i for i, r in state.live_rules().items() if everything or i in ids or r["value"] in values]
    if not dry:
        for rule_id in gone:
            state.rules[rule_id]["until_s"] = time.monotonic() + state.rule_delay_s
    wanted = len(gone) if everything else len(ids) + len(values)
    return 200, {"meta": {"sent": _sent(state), "summary": {"deleted": len(gone), "not_deleted": wanted - len(gone)}}}


def _add(state, rules, dry):
    if not isinstance(rules, list) or not rules:
        raise invalid("add must be a list of rules", add=rules)
    made, errors, invalid_count = [], [], 0
    for rule in rules:
        value = rule.get("value", "")
        same = next((i for i, r in state.live_rules().items() if r["value"] == value), None)
        if same:
            errors.append({"value": value, "id": same, "title": "DuplicateRule",
                           "type": "https://api.twitter.com/2/problems/duplicate-rules"})
            continue
        try:
            tree = xquery.parse(value, RULE_LENGTH)
        except xquery.QueryError as e:
            invalid_count += 1
            errors.append({"value": value, "details": e.details, "title": "UnprocessableEntity",
                           "type": "https://api.twitter.com/2/problems/invalid-rules"})
            continue
        if len(state.live_rules()) >= MOST_RULES:
            errors.append({"value": value, "details": [f"Cap of {MOST_RULES} rules reached"],
                           "title": "RulesCapExceeded", "type": "https://api.twitter.com/2/problems/rule-cap"})
            continue
        rule_id = str(1899000000000000000 + state.number())
        stored = {"value": value, "tag": rule.get("tag"), "tree": tree, "until_s": float("inf"),
                  "from_s": time.monotonic() + state.rule_delay_s}
        if not dry:
            state.rules[rule_id] = stored
        made.append(_shown(rule_id, stored))
    bad = len(errors)
    answer = {"meta": {"sent": _sent(state), "summary": {"created": len(made), "not_created": bad, "valid": len(made),
                                                         "invalid": bad}}}
    if made:
        answer["data"] = made
    if errors:
        answer["errors"] = errors
    return 201 if made else 200, answer


def subscribed(state, body):
    user_id = (body.get("filter") or {}).get("user_id")
    if body.get("event_type") not in ("post.delete", "post.create"):
        raise invalid("event_type is not one that is known", event_type=body.get("event_type"))
    if not user_id or not user_id.isdigit():
        raise invalid("filter.user_id is missing", filter=body.get("filter"))
    for have in state.subscriptions.values():
        if have["event_type"] == body["event_type"] and have["filter"]["user_id"] == user_id:
            raise invalid("This subscription is there already.", user_id=user_id)
    if len(state.subscriptions) >= MOST_SUBSCRIPTIONS:
        raise invalid(f"More than {MOST_SUBSCRIPTIONS} subscriptions.", user_id=user_id)
    now = iso(state.clock.now_ms())
    made = {"subscription_id": str(1950000000000000000 + state.number()), "event_type": body["event_type"],
            "filter": {"user_id": user_id}, "created_at": now, "updated_at": now}
    if body.get("tag"):
        made["tag"] = body["tag"]
    state.subscriptions[made["subscription_id"]] = made
    return 201, {"data": {"subscription": made}}
