"""Compares the public functions of the library, as rustdoc's JSON has them, with those that the image `everything` keeps
(`keep!` and its like in src/everything)."""

import json
import os
import re

# What is left out, and why.
LEFT_OUT = [
    (r"^<.* as (Display|Debug)>::fmt$", "it is formatting, and links what formats"),
    (r"^BoxedMemory::new$", "it allocates, and nothing else does"),
]
# What derives give, by the macros that keep it.
DERIVED = {
    "clones": [("Clone", "clone")],
    "values": [("Clone", "clone"), ("PartialEq", "eq")],
    "orders": [("PartialOrd", "partial_cmp"), ("Ord", "cmp")],
    "hashes": [("Hash", "hash")],
    "defaults": [("Default", "default")],
}
# The names that src/everything gives to types of the library.
ALIASES = {
    "Device": "WithDetails",
    "InlineDirectory": "Directory",
    "Of": "Directory",
    "OneUser": "tuple",
    "OtherPolicy": "tuple",
    "Users": "Directory",
}
# Traits without functions.
MARKERS = {"Copy", "Eq", "StructuralPartialEq", "Error"}


class Library:
    """The public functions of a crate, from rustdoc's JSON."""

    def __init__(self, crate):
        self.index, self.everywhere = crate["index"], crate["paths"]
        self.functions = set()
        self.paths = {}
        self.walk(crate["root"], [])
        names = [path[-1] for path in self.paths.values()]
        # Types of the same name are distinguished by their modules.
        self.ambiguous = {name for name in names if names.count(name) > 1}
        for key in self.paths:
            self.add_type(self.index[key])

    def item(self, key):
        return self.index.get(str(key))

    def walk(self, key, path):
        """Adds the functions and the types of a module, and of those in it."""
        item = self.item(key)
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

    def add_type(self, item):
        """Adds the functions of a type, or of a trait and its implementations."""
        kind, inner = next(iter(item["inner"].items()))
        if kind == "trait":
            for member in map(self.item, inner["items"]):
                if "function" in member["inner"] and member["inner"]["function"]["has_body"]:
                    self.functions.add(f"{item['name']}::{member['name']}")
        for one in map(self.item, inner["implementations"] if kind == "trait" else inner["impls"]):
            if one:
                self.add_implementation(one)

    def add_implementation(self, item):
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
                of = [self.name(one["type"]) for one in given if "type" in one]
                name = trait["path"].split("::")[-1]
                name += f"<{of[0]}>" if name in ("From", "TryFrom", "FromIterator") else ""
                self.functions.add(f"<{owner} as {name}>::{member['name']}")

    def name(self, described):
        """Returns the name of a type, without generics."""
        kind, inner = next(iter(described.items()))
        if kind == "resolved_path":
            key = str(inner["id"])
            if key not in self.paths:
                # Types of other crates may have the names of ours.
                path = self.everywhere[key]["path"]
                return f"{path[0]}::{path[-1]}"
            path = self.paths[key]
            return "::".join(path[-2:]) if path[-1] in self.ambiguous else path[-1]
        if kind == "borrowed_ref":
            return "&mut" if inner["is_mutable"] else "&"
        return inner if isinstance(inner, str) else kind


def bare(path):
    """Returns a type as the library's list names it: without generics."""
    path = path.strip()
    if path.startswith("&mut"):
        return "&mut"
    if path.startswith("["):
        return "array"
    while (shorter := re.sub(r"(::)?<[^<>]*>", "", path)) != path:
        path = shorter
    return path


def endings(path):
    """Returns a path, with less and less in front, and with nothing between a crate and a type."""
    parts = path.split("::")
    return {"::".join(parts[start:]) for start in range(len(parts))} | {f"{parts[0]}::{parts[-1]}"}


def split(text):
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
    """Returns the functions that a source keeps, under every name that the library's list may have for them."""
    # Callers that the source defines are no functions of the library.
    own = set(re.findall(r"\bfn (\w+)", source))
    found = set()
    for macro, body in re.findall(r"\b(keep|clones|values|orders|hashes|defaults|ids)!\((.*?)\);", source, re.S):
        if macro == "keep":
            found |= kept_by_name(body, own)
        elif macro == "ids":
            for owner in split(body):
                found |= {f"<{bare(owner)} as StoredId>::{one}" for one in ("from_stored", "to_stored")}
        else:
            for owner in split(body):
                for end in endings(bare(owner)):
                    found |= {f"<{ALIASES.get(end, end)} as {trait}>::{one}" for trait, one in DERIVED[macro]}
    # What a caller of its own calls.
    found |= set(re.findall(r"\bpresence_core::(\w+)\(", source))
    found |= {f"{owner}::{name}" for owner, name in re.findall(r"\b([A-Z]\w+)::(\w+)\(", source)}
    found |= {f"<{owner} as {trait}>::{name}" for owner, trait, name in re.findall(r"<(\w+) as (\w+<\w+>)>::(\w+)\(", source)}
    return found


def kept_by_name(body, own):
    """Returns the functions that one `keep!` names."""
    owner, names = body.split("=>", 1) if "=>" in body else ("fn", body)
    names = split(names)
    if owner.strip() == "fn":
        return {bare(name) for name in names} - own
    owner, _, trait = owner.partition(" as ")
    found = set()
    for end in endings(bare(owner)):
        end = ALIASES.get(end, end)
        if trait:
            converts = re.fullmatch(r"((?:Try)?From)<(.*)>", trait.strip())
            traits = {f"{converts[1]}<{of}>" for of in endings(bare(converts[2]))} if converts else {bare(trait).split("::")[-1]}
            found |= {f"<{end} as {name}>::{one}" for name in traits for one in names}
            found |= {f"{name}::{one}" for name in traits for one in names}
        else:
            found |= {f"{end}::{one}" for one in names}
    return found


def stale(documented, library):
    """Yields a complaint if the description was written before some source of the library."""
    newest = max(library, key=os.path.getmtime)
    if os.path.getmtime(documented) < os.path.getmtime(newest):
        yield f"{documented} is older than {newest}: rustdoc has written its description elsewhere"


def compare(documented, sources):
    """Yields a complaint for each public function that is not in the image, and for what is not called or not there."""
    functions = functions_of(documented)
    left_out = [(pattern, {name for name in functions if re.search(pattern, name)}) for pattern, _ in LEFT_OUT]
    found, calls = set(), ""
    for source in sources:
        with open(source) as file:
            text = re.sub(r"//.*", "", file.read())
        found |= kept(text)
        calls += text if os.path.basename(source) == "mod.rs" else ""
    for source in sources:
        name = os.path.splitext(os.path.basename(source))[0]
        if name != "mod" and f"{name}::keep();" not in calls:
            yield f"{source}: nothing calls what keeps its functions"
    for pattern, names in left_out:
        if not names:
            yield f"left out, and not there: {pattern}"
    for name in sorted(functions - found - set().union(*(names for _, names in left_out))):
        yield f"not in the image, and not left out with a reason: {name}"


def functions_of(documented):
    """Returns the public functions of a description."""
    with open(documented) as text:
        return Library(json.load(text)).functions


def problems(documented, sources, library):
    """Yields what is wrong with the image, and prints how many functions are in it."""
    found = [*stale(documented, library), *compare(documented, sources)]
    functions = functions_of(documented)
    left_out = sum(any(re.search(pattern, name) for pattern, _ in LEFT_OUT) for name in functions)
    print(f"{len(functions)} public functions, {left_out} of which are left out: " + "; ".join(reason for _, reason in LEFT_OUT))
    return found
