#!/usr/bin/env python3
"""Compares every public function and method of the library, as rustdoc's JSON has them, with what an image's source
keeps (`keep!` and its like), and names what is missing.

usage: public.py JSON SOURCE...
"""

import json
import re
import sys

# What is left out, and why.
LEFT_OUT = [
    (r"^<.* as (Display|Debug)>::fmt$", "it is formatting, and links what formats"),
]
# What derives give, by the macros that keep it.
DERIVED = {
    "clones": [("Clone", "clone")],
    "values": [("Clone", "clone"), ("PartialEq", "eq")],
    "orders": [("PartialOrd", "partial_cmp"), ("Ord", "cmp")],
    "hashes": [("Hash", "hash")],
    "defaults": [("Default", "default")],
}
# What the source calls its types.
ALIASES = {"Slices": "SliceMemory", "Of": "Directory", "Users": "Directory"}
# Traits without functions.
MARKERS = {"Copy", "Eq", "StructuralPartialEq", "Error"}


class Library:
    def __init__(self, crate):
        self.index = crate["index"]
        self.functions = set()
        self.paths = {}
        self.walk(crate["root"], [])
        names = [path[-1] for path in self.paths.values()]
        # Two types of one name are told by their modules.
        self.doubled = {name for name in names if names.count(name) > 1}
        for key in self.paths:
            self.type(self.index[key])

    def walk(self, key, path):
        item = self.index.get(str(key))
        if not item or str(key) in self.paths:
            return
        kind, inner = next(iter(item["inner"].items()))
        if kind == "module":
            for member in inner["items"]:
                self.walk(member, path + [item["name"]])
        elif kind == "use":
            self.walk(inner["id"], path)
        elif kind == "function":
            self.functions.add(item["name"])
        elif kind in ("struct", "enum", "union", "trait"):
            self.paths[str(key)] = path + [item["name"]]

    def name(self, described):
        """The name of a type, without generics."""
        kind, inner = next(iter(described.items()))
        if kind == "resolved_path":
            path = self.paths.get(str(inner["id"])) or inner["path"].split("::")
            return "::".join(path[-2:]) if path[-1] in self.doubled or path[0] == "core" else path[-1]
        if kind == "borrowed_ref":
            return "&mut" if inner["is_mutable"] else "&"
        return inner if isinstance(inner, str) else kind

    def type(self, item):
        kind, inner = next(iter(item["inner"].items()))
        if kind == "trait":
            for member in map(self.item, inner["items"]):
                if "function" in member["inner"] and member["inner"]["function"]["has_body"]:
                    self.functions.add(f"{item['name']}::{member['name']}")
        for one in map(self.item, inner["implementations"] if kind == "trait" else inner["impls"]):
            if one:
                self.implementation(one)

    def item(self, key):
        return self.index.get(str(key))

    def implementation(self, item):
        inner = item["inner"]["impl"]
        owner, trait = self.name(inner["for"]), inner["trait"]
        if inner["is_synthetic"] or inner["blanket_impl"] is not None:
            return
        for member in map(self.item, inner["items"]):
            if "function" not in member["inner"]:
                continue
            if trait is None:
                if member["visibility"] == "public":
                    self.functions.add(f"{owner}::{member['name']}")
            elif trait["path"].split("::")[-1] not in MARKERS:
                given = ((trait["args"] or {}).get("angle_bracketed") or {}).get("args") or []
                of = [self.name(one["type"]).split("::")[-1] for one in given if "type" in one]
                name = trait["path"].split("::")[-1]
                name += f"<{of[0]}>" if name in ("From", "TryFrom", "FromIterator") else ""
                self.functions.add(f"<{owner} as {name}>::{member['name']}")


def bare(path):
    """A type as the library's list names it: without generics."""
    path = path.strip()
    if path.startswith("&mut"):
        return "&mut"
    if path.startswith("["):
        return "array"
    while (shorter := re.sub(r"(::)?<[^<>]*>", "", path)) != path:
        path = shorter
    return path


def endings(path):
    """A path, with less and less in front."""
    parts = path.split("::")
    return {"::".join(parts[place:]) for place in range(len(parts))}


def arguments(text):
    """Splits at commas, but not inside brackets."""
    found, depth = [""], 0
    for byte in text:
        depth += (byte in "<[(") - (byte in ">])")
        if byte == "," and depth == 0:
            found.append("")
        else:
            found[-1] += byte
    return [one.strip() for one in found if one.strip()]


def kept(source):
    """What a source keeps, under every name that the library's list may have for it."""
    # Callers of its own are no functions of the library, whatever they are called.
    own = set(re.findall(r"\bfn (\w+)", source))
    found = set()
    for macro, body in re.findall(r"\b(keep|clones|values|orders|hashes|defaults|ids)!\((.*?)\);", source, re.S):
        if macro == "keep":
            owner, names = body.split("=>", 1) if "=>" in body else ("fn", body)
            names = arguments(names)
            if owner.strip() == "fn":
                found |= {bare(name) for name in names} - own
                continue
            owner, _, trait = owner.partition(" as ")
            for end in endings(bare(owner)):
                end = ALIASES.get(end, end)
                if trait:
                    converts = re.fullmatch(r"((?:Try)?From)<(?:\w+::)*(\w+)>", trait.strip())
                    name = "{}<{}>".format(*converts.groups()) if converts else bare(trait).split("::")[-1]
                    found |= {f"<{end} as {name}>::{one}" for one in names} | {f"{name}::{one}" for one in names}
                else:
                    found |= {f"{end}::{one}" for one in names}
        elif macro == "ids":
            for owner in arguments(body):
                found |= {f"<{bare(owner)} as StoredId>::{one}" for one in ("from_stored", "to_stored")}
        else:
            for owner in arguments(body):
                for end in endings(bare(owner)):
                    found |= {f"<{ALIASES.get(end, end)} as {trait}>::{one}" for trait, one in DERIVED[macro]}
    # What a caller of its own calls.
    found |= {f"{owner}::{name}" for owner, name in re.findall(r"\b([A-Z]\w+)::(\w+)\(", source)}
    found |= {f"<{owner} as {trait}>::{name}" for owner, trait, name in re.findall(r"<(\w+) as (\w+<\w+>)>::(\w+)\(", source)}
    return found


def main():
    with open(sys.argv[1]) as text:
        functions = Library(json.load(text)).functions
    found = set()
    for source in sys.argv[2:]:
        with open(source) as text:
            found |= kept(re.sub(r"//.*", "", text.read()))
    left_out = {name for name in functions if any(re.search(pattern, name) for pattern, _ in LEFT_OUT)}
    missing = sorted(functions - left_out - found)
    for name in missing:
        print(f"not in the image, and not left out with a reason: {name}")
    print(f"{len(functions) - len(left_out) - len(missing)} of {len(functions)} public functions are in the image, "
          f"{len(left_out)} are left out: " + "; ".join(reason for _, reason in LEFT_OUT))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
