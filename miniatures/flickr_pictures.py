# ruff: noqa: E501
"""What both Flickr miniatures show: photographs and cuts of them, five captions each by hand, and boxes for their phrases.

In a caption ``[player A tennis player]`` marks a phrase by the thing it names; ``[- it]`` is one that was left without a
thing, and ``[pool:other a bowl]`` one whose type differs from its thing's, as happens in the original. A thing is a row of THINGS: its type and its boxes (left, top, right, bottom) in the source's pixels, or ``SCENE``
(the whole scene) or ``NOBOX`` (nothing that a box could hold). The five captions of a picture are five voices: a full
sentence, a short one, one with details, one that says a little more than can be seen, and one in a hurry.
"""

from __future__ import annotations

from typing import NamedTuple

Box = tuple[int, int, int, int]
SCENE, NOBOX = "scene", "nobndbox"


class Picture(NamedTuple):
    """One picture: a part (left, top, right, bottom) of a source, its splits in the two sets, and its captions."""

    source: str
    captions: tuple[str, str, str, str, str]
    split: str
    box: Box | None = None
    mirror: bool = False


# source -> thing -> (type, boxes or a flag)
THINGS: dict[str, dict[str, tuple[str, list[Box] | str]]] = {
    "000000129648": {
        "skater": ("people", [(36, 137, 246, 342)]), "shirt": ("clothing", [(117, 139, 226, 203)]),
        "trousers": ("clothing", [(130, 177, 227, 312)]), "hair": ("bodyparts", [(67, 142, 122, 193)]),
        "board": ("other", [(188, 265, 254, 352)]), "pool": ("scene", [(0, 70, 640, 407)]),
        "people": ("people", [(185, 2, 228, 95), (262, 2, 305, 93), (510, 0, 568, 120), (579, 6, 628, 147)]),
        "face": ("other", [(214, 142, 261, 205)]), "trick": ("other", NOBOX), "rim": ("other", [(0, 66, 640, 205)]),
    },
    "000000159269": {
        "umbrellas": ("other", [(14, 205, 88, 415), (324, 154, 427, 432), (251, 235, 316, 388), (108, 266, 142, 415), (234, 275, 268, 390)]),
        "blue": ("other", [(14, 205, 88, 415)]), "yellow": ("other", [(324, 154, 427, 432)]),
        "table": ("other", [(153, 432, 268, 566)]), "tables": ("other", [(153, 432, 268, 566), (179, 395, 267, 441)]),
        "chairs": ("other", [(165, 455, 255, 610), (250, 418, 318, 537), (67, 430, 164, 577), (9, 414, 73, 497)]),
        "wicker": ("other", [(165, 455, 255, 610), (250, 418, 318, 537)]), "dark": ("other", [(67, 430, 164, 577)]),
        "sky": ("scene", SCENE), "beach": ("scene", SCENE), "sea": ("scene", SCENE), "cafe": ("scene", SCENE), "boats": ("other", [(86, 318, 262, 349)]),
        "evening": ("other", NOBOX),
    },
    "000000160012": {
        "pizza": ("other", [(115, 203, 605, 432)]), "small": ("other", [(400, 157, 630, 232)]),
        "pizzas": ("other", [(115, 203, 605, 432), (400, 157, 630, 232)]), "board": ("other", [(102, 203, 618, 461)]),
        "bottle": ("other", [(0, 0, 107, 390)]), "woman": ("people", [(156, 0, 541, 183)]), "hair": ("bodyparts", [(305, 0, 462, 135)]),
        "tomatoes": ("other", [(182, 224, 253, 257), (262, 204, 324, 238), (264, 239, 333, 275), (357, 223, 427, 250), (446, 244, 512, 276), (350, 276, 438, 320), (471, 301, 548, 337), (222, 308, 320, 361), (376, 325, 470, 377)]),
        "car": ("vehicles", [(500, 6, 614, 68)]), "plate": ("other", [(0, 414, 250, 461)]), "slice": ("other", NOBOX),
        "night": ("other", NOBOX), "street": ("scene", SCENE),
    },
    "000000165518": {
        "rider": ("people", [(248, 174, 423, 462)]), "bike": ("vehicles", [(261, 263, 434, 510)]),
        "helmet": ("clothing", [(312, 175, 366, 233)]), "lamp": ("other", [(330, 312, 367, 348)]),
        "jacket": ("clothing", [(250, 228, 421, 322)]), "fog": ("other", NOBOX), "road": ("scene", SCENE),
    },
    "000000174375": {
        "player": ("people", [(272, 161, 349, 350)]), "racket": ("other", [(273, 167, 295, 217)]),
        "shirt": ("clothing", [(287, 216, 347, 284)]), "shorts": ("clothing", [(311, 281, 346, 317)]),
        "ball": ("other", [(353, 48, 361, 55)]), "crowd": ("people", [(500, 65, 640, 232), (15, 65, 370, 155)]),
        "court": ("scene", SCENE), "boy": ("people", [(338, 230, 357, 305)]), "red": ("clothing", [(340, 245, 357, 273)]),
        "trees": ("other", [(0, 0, 170, 150)]), "line": ("other", [(282, 319, 338, 427)]), "shadow": ("other", [(310, 348, 478, 370)]),
        "serve": ("other", NOBOX),
    },
    "000000183709": {
        "man": ("people", [(78, 212, 316, 640)]), "jacket": ("clothing", [(78, 300, 316, 560)]),
        "light": ("other", [(213, 140, 252, 188)]), "sign": ("other", [(219, 51, 279, 130)]),
        "crossing": ("scene", [(240, 340, 385, 640)]), "street": ("scene", SCENE), "city": ("scene", SCENE),
        "buildings": ("other", [(38, 138, 180, 245), (302, 0, 385, 250)]),
        "people": ("people", [(215, 224, 230, 277), (243, 230, 253, 276), (262, 232, 276, 276), (282, 229, 295, 275), (295, 231, 304, 276), (312, 228, 330, 279)]),
        "car": ("vehicles", [(337, 236, 385, 280)]), "cars": ("vehicles", [(337, 236, 385, 280), (45, 232, 98, 267)]),
        "hair": ("bodyparts", [(140, 212, 208, 292)]), "denim": ("clothing", [(302, 420, 385, 640)]), "signal": ("other", NOBOX),
    },
    "000000214753": {
        "riders": ("people", [(225, 126, 296, 249), (360, 115, 417, 250)]), "first": ("people", [(225, 126, 296, 249)]), "second": ("people", [(360, 115, 417, 250)]),
        "horses": ("animals", [(250, 193, 314, 307), (323, 167, 474, 320)]), "black": ("animals", [(250, 193, 314, 307)]), "brown": ("animals", [(323, 167, 474, 320)]),
        "blue": ("clothing", [(252, 142, 294, 189)]), "gray": ("clothing", [(375, 136, 415, 188)]),
        "helmets": ("clothing", [(261, 124, 284, 140), (389, 115, 408, 137)]), "white": ("clothing", [(261, 124, 284, 140)]),
        "waves": ("other", [(0, 18, 640, 175)]), "sea": ("scene", [(0, 0, 640, 175)]), "beach": ("scene", SCENE),
        "rocks": ("other", [(92, 92, 120, 105), (222, 90, 247, 102), (285, 93, 308, 107), (350, 126, 374, 148), (424, 117, 446, 132), (454, 127, 477, 146), (174, 160, 213, 179), (81, 167, 112, 177), (130, 120, 172, 144), (607, 183, 626, 196)]),
        "mane": ("bodyparts", [(336, 172, 375, 200)]), "tail": ("bodyparts", [(437, 203, 468, 250)]),
    },
    "000000255165": {
        "monitors": ("other", [(219, 240, 350, 345), (358, 238, 495, 360)]), "laptop": ("other", [(0, 287, 157, 427)]),
        "keyboards": ("other", [(199, 405, 369, 441), (217, 378, 371, 408)]), "phone": ("other", [(82, 380, 175, 451)]),
        "mug": ("other", [(421, 372, 456, 415)]), "painting": ("other", [(430, 0, 640, 172)]), "old": ("other", [(190, 60, 276, 157)]),
        "shelf": ("other", [(122, 153, 276, 345)]), "window": ("other", [(0, 0, 95, 190)]), "papers": ("other", [(505, 315, 640, 442)]),
        "desk": ("other", [(110, 340, 640, 480)]), "room": ("scene", SCENE), "light": ("other", NOBOX),
    },
    "000000433998": {
        "pitcher": ("people", [(314, 188, 389, 345)]), "ball": ("other", [(328, 249, 337, 259)]), "glove": ("clothing", [(314, 229, 333, 252)]),
        "cap": ("clothing", [(341, 188, 356, 200)]), "uniform": ("clothing", [(332, 202, 387, 337)]), "batter": ("people", [(271, 336, 392, 427)]),
        "helmet": ("clothing", [(340, 336, 388, 375)]), "board": ("other", [(3, 140, 486, 222)]), "screen": ("other", [(486, 148, 640, 222)]),
        "crowd": ("people", [(0, 0, 640, 125)]), "mound": ("other", [(100, 338, 600, 380)]), "field": ("scene", SCENE), "pitch": ("other", NOBOX),
    },
    "000000553664": {
        "laptop": ("other", [(272, 140, 557, 323)]), "earphones": ("other", [(218, 143, 313, 358)]), "phone": ("other", [(490, 326, 594, 355)]),
        "mouse": ("other", [(428, 246, 497, 263)]), "sunglasses": ("other", [(55, 228, 134, 258)]), "notebook": ("other", [(97, 252, 234, 283)]),
        "pen": ("other", [(127, 253, 209, 268)]), "bag": ("other", [(158, 176, 300, 246)]), "books": ("other", [(215, 0, 600, 212)]),
        "table": ("other", [(0, 225, 640, 367)]), "scarf": ("clothing", [(210, 208, 298, 264)]), "words": ("other", [(22, 62, 266, 145)]),
        "library": ("scene", SCENE),
    },
    "chelsea": {
        "cat": ("animals", [(0, 0, 400, 300)]), "eyes": ("bodyparts", [(136, 85, 204, 148), (297, 110, 343, 163)]), "nose": ("bodyparts", [(241, 226, 292, 266)]),
        "ears": ("bodyparts", [(313, 0, 400, 72), (47, 0, 85, 28)]), "whiskers": ("bodyparts", [(0, 210, 158, 300), (310, 234, 400, 292)]),
    },
    "china": {
        "tower": ("other", [(62, 28, 388, 427)]), "roofs": ("other", [(94, 62, 320, 140), (84, 157, 330, 190), (62, 243, 352, 285), (180, 325, 388, 392)]),
        "lake": ("scene", [(345, 218, 565, 325)]), "boats": ("other", [(402, 278, 411, 284), (380, 284, 388, 291), (464, 271, 470, 277), (482, 266, 490, 273), (421, 275, 428, 280), (369, 298, 376, 303)]),
        "sky": ("scene", SCENE), "trees": ("other", [(545, 135, 640, 427), (343, 275, 575, 427), (0, 330, 290, 427), (0, 140, 76, 280)]),
        "island": ("other", [(423, 226, 500, 241)]),
        "haze": ("other", NOBOX),
    },
    "coffee": {
        "cup": ("other", [(172, 18, 408, 310)]), "saucer": ("other", [(77, 70, 480, 390)]), "spoon": ("other", [(323, 66, 425, 327)]),
        "coffee": ("other", [(205, 95, 372, 193)]), "table": ("other", [(0, 0, 600, 400)]), "handle": ("other", [(195, 228, 258, 308)]),
    },
    "flower": {
        "flower": ("other", [(169, 85, 446, 360)]), "other": ("other", [(287, 375, 470, 427)]), "flowers": ("other", [(169, 85, 446, 360), (287, 375, 470, 427)]),
        "bud": ("other", [(578, 395, 625, 427)]), "leaves": ("scene", SCENE), "garden": ("scene", SCENE),
    },
    "rocket": {
        "rocket": ("vehicles", [(308, 127, 336, 407)]), "towers": ("other", [(0, 0, 88, 427), (560, 0, 640, 427), (165, 123, 204, 427), (438, 123, 478, 427)]),
        "lamps": ("other", [(130, 355, 170, 400), (170, 370, 215, 420), (340, 370, 390, 420), (415, 370, 455, 415), (70, 335, 95, 365), (90, 395, 130, 427), (420, 395, 475, 427)]),
        "pad": ("other", [(267, 405, 375, 427)]), "sky": ("scene", SCENE), "launch": ("other", NOBOX), "clouds": ("other", [(0, 362, 640, 427)]),
    },
}  # fmt: skip

PICTURES: list[Picture] = [
    Picture("000000129648", (
        "[skater A young man] in [shirt a white T-shirt] rides [board his skateboard] along the edge of [pool an empty pool] .",
        "[skater A boy] skates in [pool an empty swimming pool] .",
        "[skater A skateboarder] with [hair red hair] and [trousers black trousers] does [trick a trick] while [people people] watch from [rim the rim] .",
        "[skater A teenager] is showing off for [people his friends] in [pool:other a concrete bowl] .",
        "[skater guy] on [board skateboard]",
    ), "test"),
    Picture("000000129648", (
        "[skater A skater] crouches on [board his board] beside [face a drawing of a burning face] .",
        "[skater A person] rides [board a skateboard] .",
        "[skater A skateboarder] with [hair red hair] wears [shirt a white shirt] and [trousers black trousers] .",
        "[skater A young man] who has done [- this] a thousand times .",
        "[skater a boy] skating past [face a grinning face on the wall] .",
    ), "test", (20, 120, 280, 360)),
    Picture("000000159269", (
        "[umbrellas Five closed umbrellas] stand between [tables tables] and [chairs chairs] on [beach a beach] at sunset .",
        "[chairs Empty chairs] by [sea the sea] .",
        "[blue A blue umbrella] and [yellow a yellow one] stand in front of [boats small boats] under [sky a yellow sky] .",
        "[cafe:scene,other The cafe] has closed for [evening the evening] and [- the guests] have gone home .",
        "[umbrellas folded umbrellas] , [tables tables] , nobody there .",
    ), "train"),
    Picture("000000159269", (
        "[wicker Two wicker chairs] stand at [table a white table] .",
        "[table A table] with [chairs three chairs] .",
        "[dark A dark chair] and [wicker two light ones] surround [table a small white table] .",
        "[chairs Chairs] wait for [- the first guests] .",
        "[table white table] and [chairs some chairs]",
    ), "train", (60, 380, 335, 630)),
    Picture("000000160012", (
        "[pizza A large pizza] with [tomatoes slices of tomato] lies on [board a round wooden board] .",
        "[pizzas Two pizzas] on a table .",
        "[woman A woman] with [hair long blond hair] reaches for [small a small pizza] behind [pizza a big one] .",
        "[woman A girl] enjoys [- her holiday dinner] by [street the street] at [night night] .",
        "[pizza pizza] , [slice one slice] already gone , and [bottle a bottle of beer]",
    ), "test"),
    Picture("000000160012", (
        "[pizza A pizza] topped with [tomatoes tomatoes] and herbs on [board a wooden board] .",
        "[pizza A pizza] .",
        "[tomatoes Red slices of tomato] lie on the melted cheese of [pizza a pizza] .",
        "[pizza A homemade pizza] fresh from [- the oven] .",
        "close-up of [pizza a pizza] with [slice a piece] missing .",
    ), "test", (105, 195, 630, 455)),
    Picture("000000165518", (
        "[rider A person] in [helmet a helmet] rides [bike a motorcycle] through [fog thick fog] .",
        "[bike A motorcycle] on [road a foggy road] .",
        "[lamp The headlight] of [bike a motorcycle] shines in [fog the fog] on [road a wet road] .",
        "[rider A man] hurries home on [bike his motorbike] before [- the rain] .",
        "[rider somebody] riding towards us in [fog the mist] .",
    ), "test"),
    Picture("000000165518", (
        "[rider A motorcyclist] in [jacket a dark jacket] comes towards the camera .",
        "[rider A rider] on [bike a motorcycle] .",
        "[rider A person] with [helmet a red and black helmet] rides [bike a motorcycle] with [lamp its headlight] on .",
        "[rider A lonely biker] is far from [- home] .",
        "[bike motorbike] in [fog the fog] , [lamp light] on",
    ), "test", (220, 150, 460, 530), True),
    Picture("000000174375", (
        "[player A tennis player] in [shirt a blue shirt] has thrown up [ball the ball] to serve on [court a clay court] .",
        "[player A man] plays tennis in front of [crowd a crowd] .",
        "[player A man] in [shirt a blue shirt] and [shorts dark shorts] serves on [court a red court] while [crowd people] watch from the stands .",
        "[player A professional] hits [serve the winning serve] .",
        "[player tennis player] , seen from behind , [racket racket] up .",
    ), "test"),
    Picture("000000174375", (
        "[player A tennis player] stretches one arm up and holds [racket his racket] behind him .",
        "[player A man] with [racket a racket] .",
        "[player A man] in [shirt a blue shirt] and [shorts dark shorts] looks up at [ball a yellow ball] in the air .",
        "[player The champion] serves and [boy the ball boy] holds his breath .",
        "[player man] about to hit [ball the ball]",
    ), "test", (240, 30, 400, 365), True),
    Picture("000000183709", (
        "[man A man] in [jacket a black leather jacket] waits at [crossing a zebra crossing] in [city a city] .",
        "[man A man] waits to cross [street the street] .",
        "[light A traffic light] stands below [sign a blue and white road sign] , with [people several people] across [street the road] .",
        "[man An impatient man] is late for [- work] .",
        "[man man] from behind , [light red light] , [crossing:other crosswalk]",
    ), "train"),
    Picture("000000183709", (
        "[light A traffic light] and [sign a road sign] in front of [buildings old buildings] .",
        "[light A red light] .",
        "[sign A large sign] with arrows hangs above [people a group of people] on the far side of the road .",
        "[people Tourists] look for [- their hotel] .",
        "[people people] crossing near [car a parked car]",
    ), "train", (185, 35, 385, 290)),
    Picture("000000214753", (
        "[riders Two people] ride [horses their horses] along [beach a sandy beach] beside [sea the sea] .",
        "[riders Two riders] on [beach the beach] .",
        "[riders Two riders] in [helmets helmets] sit on [black a black horse] and [brown a brown horse] as [waves waves] break over [rocks the rocks] .",
        "[riders A couple] on [- their honeymoon] go riding by [sea the ocean] .",
        "[horses horses] and [waves waves]",
    ), "test"),
    Picture("000000214753", (
        "[second A rider] in [gray a gray jacket] sits on [brown a brown horse] .",
        "[second A person] on [brown a horse] .",
        "[brown A brown horse] with [mane a pale mane] and [tail a pale tail] carries [second a rider] along [beach the beach] .",
        "[second A woman] gives [brown her favourite horse] a rest .",
        "[second rider] and [brown horse] from behind .",
    ), "test", (310, 100, 490, 335), True),
    Picture("000000214753", (
        "[waves White waves] break over [rocks dark rocks] on [beach a beach] .",
        "[waves Waves] and [rocks stones] .",
        "[rocks Round black rocks] lie on [beach wet sand] in front of [waves the surf] .",
        "[sea The sea] is far too cold for [- swimming] .",
        "[waves big wave] coming in",
    ), "train", (0, 0, 222, 200)),
    Picture("000000255165", (
        "[monitors Two monitors] , [keyboards two keyboards] and [laptop a laptop] stand on [desk a wooden desk] .",
        "[desk A desk] full of computers .",
        "[monitors Two screens] glow on [desk a desk] with [mug a white mug] , [phone a telephone] and [papers trays of paper] .",
        "[desk The desk] of [- a programmer] who never throws anything away .",
        "[room messy home office] , [painting a picture] on the wall",
    ), "test"),
    Picture("000000255165", (
        "[keyboards Two white keyboards] lie in front of [monitors two flat monitors] .",
        "[monitors Two computer screens] .",
        "[monitors Two screens] show web pages above [keyboards white keyboards] and [mug a white mug] .",
        "[- Someone] works with two computers at once .",
        "[monitors screens] , [keyboards keyboards] and [mug a cup] .",
    ), "test", (180, 225, 510, 460)),
    Picture("000000433998", (
        "[pitcher A baseball player] in [uniform a white uniform] gets ready to throw [ball the ball] from [mound the mound] .",
        "[pitcher A man] pitches [ball a ball] .",
        "[pitcher A pitcher] with [cap a red cap] and [glove a black glove] stands before [board a large scoreboard] and [crowd a crowd] .",
        "[pitcher The pitcher] knows that [pitch this pitch] decides the game .",
        "baseball game , [batter a player] with [helmet a dark helmet] in front",
    ), "dev"),
    Picture("000000553664", (
        "[laptop A red laptop] stands open on [table a wooden table] in front of [books shelves of books] .",
        "[laptop A laptop] on [table a table] .",
        "[earphones White earphones] hang over [laptop a red laptop] and lead to [phone a white phone] .",
        "[- A student] has left [library the library] for a moment .",
        "[laptop laptop] , [phone phone] , [bag bag] , and [words the words Learn Anywhere] on it",
    ), "dev"),
    Picture("000000553664", (
        "[sunglasses A pair of sunglasses] lies beside [notebook a notebook] and [bag a gray bag] .",
        "[sunglasses Sunglasses] on [table a table] .",
        "[pen A pen] lies on [notebook a black notebook] next to [sunglasses brown sunglasses] on [table a shiny table] .",
        "[- The owner] will be back for [sunglasses the sunglasses] soon .",
        "[notebook notebook] , [pen pen] and [sunglasses shades] .",
    ), "train", (30, 170, 270, 295)),
    Picture("chelsea", (
        "[cat A tabby cat] with [eyes green eyes] looks past the camera .",
        "[cat A cat] .",
        "[cat A cat] with [nose a pink nose] , [eyes green eyes] and [whiskers long white whiskers] .",
        "[cat The cat] is waiting for [- its supper] .",
        "[cat cat] face up close",
    ), "dev"),
    Picture("china", (
        "[tower A tower] with [roofs orange and green roofs] rises above [trees trees] and [lake a lake] .",
        "[tower A tower] by [lake a lake] .",
        "[boats Small boats] are out on [lake a wide lake] behind [tower a red tower of several storeys] .",
        "[tower An ancient temple] where [- monks] still pray .",
        "[tower pagoda] in [haze the haze]",
    ), "train"),
    Picture("china", (
        "[boats Small boats] dot [lake a lake] that [trees dark trees] frame .",
        "[lake A lake] behind [trees trees] .",
        "[island A low island] lies in [lake a gray lake] under [sky a pale sky] .",
        "[boats Holiday boats] carry [- families] across [lake the lake] .",
        "[lake water] , [trees trees] , [haze mist]",
    ), "train", (335, 125, 640, 427)),
    Picture("coffee", (
        "[cup A red cup] of [coffee coffee] stands on [saucer a red saucer] .",
        "[cup A cup] of [coffee coffee] .",
        "[spoon A shiny spoon] lies beside [cup a small cup] on [saucer a red saucer] on [table a wooden table] .",
        "[cup The best espresso in town] .",
        "[coffee coffee] half gone , [spoon spoon] on [saucer the saucer] .",
    ), "train"),
    Picture("flower", (
        "[flower An orange dahlia] in full bloom in front of [leaves dark leaves] .",
        "[flower A round orange flower] .",
        "[flower A flower] with rings of small petals stands above [other a second one] .",
        "[flowers Flowers] from [- a prize-winning garden] .",
        "[flower flower] , close",
    ), "none"),
    Picture("rocket", (
        "[rocket A white rocket] stands on [pad its pad] between [towers lattice towers] .",
        "[rocket A rocket] at dusk .",
        "[lamps Bright lamps] light [rocket a tall rocket] under [sky a dark blue sky] .",
        "[- The crew] counts down to [launch the launch] .",
        "[rocket rocket] , [towers towers] , [lamps lights]",
    ), "train"),
]  # fmt: skip
