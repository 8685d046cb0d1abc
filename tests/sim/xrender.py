# SPDX-License-Identifier: MIT
"""Answers hold what was asked for and no more, in one of two dialects ("tweet" as in the prose pages, "post" as in 2.167)."""
from xstate import invalid

DEFAULT = ("id", "text", "edit_history_tweet_ids")
FIELDS = {"attachments", "author_id", "conversation_id", "created_at", "display_text_range", "edit_controls",
          "edit_history_tweet_ids", "entities", "id", "in_reply_to_user_id", "lang", "note_tweet",
          "possibly_sensitive", "public_metrics", "referenced_tweets", "reply_settings", "text", "withheld", "geo",
          "source", "context_annotations", "community_id", "card_uri", "article"}
USER_FIELDS = {"created_at", "description", "id", "name", "protected", "username", "verified", "public_metrics", "url",
               "profile_image_url", "location", "entities", "withheld", "verified_type"}
MEDIA_FIELDS = {"alt_text", "duration_ms", "height", "media_key", "preview_image_url", "public_metrics", "type", "url",
                "variants", "width"}
EXPANSIONS = {"author_id", "attachments.media_keys", "referenced_tweets.id", "referenced_tweets.id.author_id",
              "referenced_tweets.id.attachments.media_keys", "in_reply_to_user_id", "edit_history_tweet_ids",
              "entities.mentions.username", "attachments.poll_ids", "geo.place_id"}
TO_POST = {"referenced_tweets": "referenced_posts", "note_tweet": "note_post",
           "edit_history_tweet_ids": "edit_history_post_ids"}
EXPANSIONS_TO_POST = {"referenced_tweets.id": "referenced_posts", "edit_history_tweet_ids": "edit_history_post_ids"}
FROM_POST = {v: k for k, v in TO_POST.items()}
EXPANSIONS_FROM_POST = {v: k for k, v in EXPANSIONS_TO_POST.items()}


class Selection:
    """What a request asked for."""

    def __init__(self, query, dialect, stream=False):
        """query: name -> value. dialect: "tweet", "post", or "both" (takes either, answers as asked)."""
        self.dialect = dialect
        names = {"tweet": ("tweet.fields",), "post": ("post.fields",), "both": ("tweet.fields", "post.fields")}[dialect]
        if stream and dialect == "post":
            names = ("tweet.fields",)
        for name in ("tweet.fields", "post.fields"):
            if name in query and name not in names:
                raise invalid(f"The query parameter [{name}] is not one of [{names[0]},expansions,...]",
                              **{name: query[name]})
        if dialect == "both":
            self.dialect = "post" if "post.fields" in query else "tweet"
        chosen = next((query[n] for n in names if n in query), "")
        self.fields = set(DEFAULT) | self._names("tweet.fields", chosen, FIELDS, FROM_POST)
        self.user_fields = {"id", "name", "username"} | self._names(
            "user.fields", query.get("user.fields", ""), USER_FIELDS, {})
        self.media_fields = {"media_key", "type"} | self._names(
            "media.fields", query.get("media.fields", ""), MEDIA_FIELDS, {})
        self.expansions = self._names("expansions", query.get("expansions", ""), EXPANSIONS, EXPANSIONS_FROM_POST)
        for expansion in self.expansions:  # the field that is expanded comes along
            field = expansion.split(".")[0]
            if field in FIELDS:
                self.fields.add(field)

    @staticmethod
    def _names(parameter, value, known, old):
        names = {old.get(n, n) for n in value.split(",") if n}
        for name in names - known:
            raise invalid(f"The `{parameter}` query parameter value [{name}] is not one of "
                          f"[{','.join(sorted(known))}]", **{parameter: name})
        return names

    def post(self, post):
        out = {k: v for k, v in post.items() if k in self.fields}
        if self.dialect == "post":
            out = {TO_POST.get(k, k): v for k, v in out.items()}
            if "public_metrics" in out:
                out["public_metrics"] = {k.replace("retweet_count", "repost_count"): v
                                         for k, v in out["public_metrics"].items()}
        return out

    def answer(self, posts, state, many=True):
        """data, includes and errors for these posts; also which posts and people were handed out."""
        users, media, referenced, errors = {}, {}, {}, []
        for post in posts:
            if "author_id" in self.expansions:
                users[post["author_id"]] = None
            if "in_reply_to_user_id" in self.expansions and "in_reply_to_user_id" in post:
                users[post["in_reply_to_user_id"]] = None
            if "entities.mentions.username" in self.expansions:
                users.update({m["id"]: None for m in post.get("entities", {}).get("mentions", []) if "id" in m})
            if "attachments.media_keys" in self.expansions:
                media.update({k: None for k in post.get("attachments", {}).get("media_keys", [])})
            if self.expansions & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
                for reference in post.get("referenced_tweets", []):
                    self._refer(reference["id"], state, referenced, users, media, errors)
        out = {}
        if posts:
            out["data"] = [self.post(p) for p in posts] if many else self.post(posts[0])
        includes = {}
        if users:
            includes["users"] = [{k: v for k, v in state.users[i].items() if k in self.user_fields} for i in users]
        if media:
            includes["media"] = [{k: v for k, v in state.media[i].items() if k in self.media_fields} for i in media]
        if referenced:
            includes["posts" if self.dialect == "post" else "tweets"] = [self.post(p) for p in referenced.values()]
        if includes:
            out["includes"] = includes
        if errors:
            out["errors"] = errors
        return out, [p["id"] for p in posts] + list(referenced), list(users)

    def _refer(self, post_id, state, referenced, users, media, errors):
        post = state.posts.get(post_id)
        if not post:
            errors.append(missing(post_id, "referenced_tweets.id"))
            return
        referenced[post_id] = post
        if "referenced_tweets.id.author_id" in self.expansions:
            users[post["author_id"]] = None
        if "referenced_tweets.id.attachments.media_keys" in self.expansions:
            media.update({k: None for k in post.get("attachments", {}).get("media_keys", [])})


def missing(post_id, parameter):
    return {"resource_id": post_id, "parameter": parameter, "resource_type": "tweet", "value": post_id,
            "title": "Not Found Error", "detail": f"Could not find tweet with {parameter}: [{post_id}].",
            "type": "https://api.twitter.com/2/problems/resource-not-found"}


def not_authorized(post_id, parameter):
    return {"resource_id": post_id, "parameter": parameter, "resource_type": "tweet", "section": "data", "value": post_id,
            "title": "Authorization Error", "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
            "detail": f"Sorry, you are not authorized to see the Tweet with {parameter}: [{post_id}]."}
