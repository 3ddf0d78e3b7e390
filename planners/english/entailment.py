"""Which words say as much as another: who *baked* a cake made one, who *sold* one did not.

A sentence encoder finds `buy` and `sell` alike, so verbs are matched by this table and not by similarity. Words before
the bar of a row say the same as each other; those after it say it with more detail (`walk` says `go`, `go` does not say
`walk`). Knows everyday English only; opposites are in `planners.english.opposites`.
"""

from __future__ import annotations

from functools import lru_cache

from planners.english.words import irregular_verbs, stems_of

_ROWS = """
buy purchase | order
sell | auction
get receive obtain | buy purchase fetch collect adopt win inherit borrow pick grab
have own possess | get buy adopt inherit receive keep eat drink host hold throw
give | hand pass lend donate gift present
lend loan |
bring fetch | carry take deliver
take | grab pick carry bring steal remove borrow
carry | haul lug
put place set lay | leave hang store stick drop stash tuck load park
remove | take delete strip
throw toss | hurl chuck discard fling
go travel | take bring walk run drive fly ride cycle hike visit head return come attend swim stroll march sail rush
visit | tour go
walk | stroll hike wander march tiptoe
run | jog sprint race
move | relocate push pull drag shift
come arrive | return reach
leave depart |
return | come
enter | go come walk step
stay remain |
live reside dwell | stay move
make create produce | bake cook build brew knit sew craft paint draw write assemble prepare cut
build construct | assemble make
cook | bake fry boil roast grill stew make prepare
bake | make
prepare | cook make bake pack
eat | devour munch bite finish have nibble taste swallow
drink | sip gulp have swallow
cut slice chop | trim carve dice peel saw snip
fix repair mend | patch
break | smash shatter crack snap fracture
hurt injure | sprain break cut burn twist bruise
clean | wash wipe scrub mop sweep vacuum dust tidy rinse polish
wash | rinse scrub clean do
do | wash clean practise practice finish complete make perform play take
tidy | clean
start begin | open launch found join
finish complete end |
stop quit | end give
close shut |
open | unwrap
switch turn flip |
phone call ring | dial
write | jot note scribble type text
draw | sketch doodle
sing | hum
play practise practice | perform
learn study | practise practice take
teach | coach tutor
train exercise | jog run
see notice | watch spot meet observe find
watch | see observe
look | watch stare glance peer
hear | listen
talk speak chat | discuss converse
meet | encounter see
find | discover locate spot
lose misplace |
marry | wed
hire employ |
plant | sow grow
grow | plant raise
hold | grip carry grab clutch
wear | dress
sleep nap | doze
cry weep | sob
laugh | giggle chuckle
fall | slip trip tumble
jump leap | hop
help assist | support
send | mail post ship
book reserve |
argue quarrel | fight
use | play
try | taste
married | husband wife spouse
pregnant | expecting
child children kid | son daughter baby toddler
pet | dog cat puppy kitten hamster rabbit parrot
"""
_OTHER_VERBS = """
adopt answer ask bark believe borrow camp cancel climb cost dance die divorce drive drop enjoy feed forget
hate hike hug invite join kick kiss know like love miss move need order paint pay plan pull push read
remember rent ride share shop shout smoke swim think try turn wait wake want water win work
"""


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Stem -> stems of the same meaning, and those that say it with more detail."""
    table: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for row in _ROWS.strip().splitlines():
        same, more = (stems_of(words) for words in f"{row}|".split("|")[:2])
        for word in same:
            known = table.get(word, (frozenset[str](), frozenset[str]()))
            table[word] = (known[0] | same, known[1] | more)
    return table


def same_as(stemmed: str) -> frozenset[str]:
    """Stems of the words that mean the same as a word, itself one of them."""
    return _table().get(stemmed, (frozenset[str](),))[0] | {stemmed}


def saying(stemmed: str) -> frozenset[str]:
    """Stems of the words that say a word: those of its meaning, and those of more detail."""
    return same_as(stemmed) | (_table()[stemmed][1] if stemmed in _table() else frozenset[str]())


@lru_cache(maxsize=4096)
def said_by(stemmed: str) -> frozenset[str]:
    """Stems of the words that a word says: who did not *go* did not *walk*."""
    return same_as(stemmed) | {word for word, (_, more) in _table().items() if stemmed in more}


@lru_cache(maxsize=1)
def known_verbs() -> frozenset[str]:
    """Stems of the verbs that are known here; others are told by where they stand."""
    nouns = stems_of("husband wife spouse child kid son daughter baby toddler pet dog cat puppy kitten hamster rabbit")
    listed = frozenset[str]().union(*(same | more for same, more in _table().values())) | stems_of(_OTHER_VERBS)
    return (listed | stems_of(" ".join(irregular_verbs()))) - nouns
