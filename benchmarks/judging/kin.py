"""Which of ImageNet's 1000 classes stand for a look, and which for an object.

Reviewed by hand. A look has its own class and those that a person would also call it: the spots of
a jaguar are as good an answer to "leopard fur". An object has its class and its near kin.
"""

from __future__ import annotations

DOG_BREEDS = range(151, 269)  # Chihuahua to Mexican hairless

LOOKS: dict[str, dict[int, str]] = {
    "zebra": {340: "zebra"},
    "leopard": {288: "leopard", 289: "snow leopard", 290: "jaguar", 293: "cheetah"},
    "strawberry": {949: "strawberry"},
    "chain mail": {490: "chain mail", 461: "breastplate", 524: "cuirass"},
    "crocodile": {49: "African crocodile", 50: "American alligator"},
}

_DOGS = {
    269: "timber wolf",
    270: "white wolf",
    271: "red wolf",
    272: "coyote",
    273: "dingo",
    274: "dhole",
    275: "African hunting dog",
}

# A breed's name is not spelled out: 118 of them lie in a row.
OBJECTS: dict[str, dict[int, str]] = {
    "swan": {
        97: "drake",
        98: "red-breasted merganser",
        99: "goose",
        100: "black swan",
    },
    "boat": {
        472: "canoe",
        484: "catamaran",
        510: "container ship",
        554: "fireboat",
        576: "gondola",
        625: "lifeboat",
        628: "liner",
        724: "pirate",
        780: "schooner",
        814: "speedboat",
        871: "trimaran",
        914: "yawl",
    },
    "car": {
        436: "beach wagon",
        468: "cab",
        511: "convertible",
        609: "jeep",
        627: "limousine",
        656: "minivan",
        661: "Model T",
        717: "pickup",
        751: "racer",
        817: "sports car",
    },
    "dog": {**dict.fromkeys(DOG_BREEDS, ""), 273: "dingo"},
    "wolf": {**dict.fromkeys(DOG_BREEDS, ""), **_DOGS},
}  # a woman is none of the classes


def look_classes(name: str) -> tuple[int, ...]:
    """Return the classes that stand for the look ``name``; KeyError where there are none."""
    return tuple(LOOKS[name])


def object_classes(name: str) -> tuple[int, ...]:
    """Return the classes that stand for the object ``name``; none where ImageNet has none."""
    return tuple(OBJECTS.get(name, ()))
