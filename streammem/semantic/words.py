"""The words that the rules of extraction turn on. Data and small tests of words; English only."""

from __future__ import annotations

import re

NAME = r"[A-Z][a-z]+(?:\s[A-Z][a-z]+)?"
DETERMINER = r"(?:the|my|your|his|her|our|their|a|an|this|that|some)"
NOUN = r"[a-z]+(?:[ -][a-z]+){0,2}"

_NOT_NAMES = re.compile(
    r"^(Sorry|Fine|Good|Great|Ok|Okay|Done|Ready|Back|Home|Here|There|Not|So|Just|Very|Going|Sure|Yes|No|God|The|A|An|"
    r"Then|Now|And|But|He|She|It|They|We|You|I|This|That|These|Those|My|Your|His|Her|Our|Their|What|Who|Where|When|"
    r"How|Why|If|After|Before|While|Everyone|Everybody|Someone|Somebody|Nobody|People|All|Both|Each|One|Let|Also|"
    r"Others|Other|Human|Humans|Nature|Feels|Sounds|Looks|Seems|Makes|Dogs|Cats|Pets|Kids|Music|Life|Love|Work|"
    r"Mom|Mum|Dad|Mama|Papa|Guys|Thanks|Hey|Hi|Hello|Wow|Oh|Yeah|Well|Please|Teacher|Brother|Sister|Boss|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|July|August|"
    r"September|October|November|December|Christmas|Easter|English|French|Dutch|Irish|Welsh|Greek|Swiss|Thai|"
    r"[A-Z][a-z]+(?:ian|ish|ese|ican|ing))(\s|$)"
)
_NOT_THING_WORDS = (
    "point problem question thing things idea answer trick reason difference rest fact one ones he she we it they "
    "i you this that there who what hand hands arm arms leg legs foot feet finger fingers thumb head face hair "
    "eyes gaze focus attention knee knees elbow elbows chin body weight step steps look glance break bite sip "
    "turn lot bit moment time way something anything everything stuff others other them him her me us side sides "
    "part end first last palm fist mouth nose ear ears back shoulder shoulders effort name place seat"
)
_NOT_THINGS = frozenset(_NOT_THING_WORDS.split())
"""Last words of what no place belongs to: abstract words, pronouns, and limbs, which move all the time."""
_NOT_PLACE_WORDS = (
    "left right back way moment beginning end middle process mood case time future past works same phone details "
    "conversation call side sides distance hand hands lap knee knees face chest chin mouth head shoulder "
    "shoulders the my your his her our their a an order mind general advance line turn front top bottom it them "
    "me him us one other others there here arms arm finger fingers ear neck waist half"
)
_NOT_PLACES = frozenset(_NOT_PLACE_WORDS.split())
_BREAKS_WORDS = (
    "and or but then so because while when as with from to forward forwards backward ahead together "
    "for by at in on into onto if that which who is are "
    "was were again too already now just still also back down up out off away over there here very really"
)
_BREAKS = frozenset(_BREAKS_WORDS.split())
"""Words that end a noun phrase."""

ROOMS = (
    r"(?:living room|dining room|bed ?room|bath ?room|washroom|rest ?room|toilet|kitchen|study|garden|yard|court ?yard|"
    r"balcony|garage|hall ?way|hall|corridor|attic|cellar|basement|laundry room|workshop|office|lobby|"
    r"meeting room|class ?room|terrace|store|shop|super ?market|market|mall|restaurant|cafe|café|bakery|library|"
    r"pharmacy|post office|hardware store|swimming pool|gym|park|station|airport|hospital|school|hotel|museum|"
    r"first floor|second floor|third floor|ground floor|upstairs|downstairs)"
)
KIN = (
    "mother|mom|mum|father|dad|sister|brother|son|daughter|wife|husband|cousin|aunt|uncle|grandmother|grandma|"
    "grandfather|grandpa|niece|nephew|boyfriend|girlfriend|partner|fiancé|fiancée|friend|best friend|roommate|flatmate|"
    "neighbor|neighbour|boss|colleague|coworker|teacher|coach|twin|dog|cat|puppy|kitten|pet|parrot|rabbit|hamster|horse|"
    "turtle|guinea pig"
)
"""What somebody may have that has a name."""
FAMILY = (
    "sister|brother|son|daughter|wife|husband|boyfriend|girlfriend|partner|fiancé|fiancée|twin|niece|nephew|cousin|"
    "dog|cat|puppy|kitten|pet|parrot|rabbit|hamster|horse|turtle|guinea pig"
)
POSSESSIONS = (
    FAMILY + "|kids|children|dogs|cats|pets|bird|birds|fish|snake|lizard|sisters|brothers|sons|daughters|twins|"
    "car|truck|van|bike|bicycle|motorcycle|motorbike|boat|guitar|piano|violin|drum set|keyboard|camera|laptop|computer|"
    "telescope|tattoo|house|apartment|flat|garden|farm|studio|shop|store|blog|podcast"
)
"""What is worth remembering that somebody has: without a list, `I have a question` would be a possession."""
OCCUPATIONS = (
    "teacher|doctor|nurse|engineer|software engineer|developer|programmer|designer|graphic designer|writer|author|"
    "journalist|artist|painter|musician|singer|dancer|actor|actress|photographer|chef|cook|baker|waiter|waitress|"
    "lawyer|accountant|manager|consultant|counselor|therapist|psychologist|dentist|vet|veterinarian|scientist|"
    "researcher|professor|student|firefighter|police officer|pilot|driver|mechanic|carpenter|electrician|plumber|"
    "farmer|gardener|librarian|architect|salesperson|barista|coach|trainer|yoga teacher|social worker|translator|"
    "filmmaker|director|producer|game developer|entrepreneur|plasterer|surgeon|soldier|secretary"
)


def is_name(text: str) -> bool:
    return _NOT_NAMES.match(text) is None


def noun_phrase(text: str, *, owner: str | None = None, me: str | None = None) -> str | None:
    """The thing that a match names, cut where the phrase ends, without its article; None where it is no thing.

    Args:
        owner: whose `his` and `her` things are; None: nobody knows, so such a thing is none.
        me: whose `my` things are, where that is a name; my keys are not your keys.
    """
    return _phrase(_cut(text), _NOT_THINGS, owner=owner, me=me)


def place_phrase(text: str, *, owner: str | None = None, me: str | None = None) -> str | None:
    """The place that a match names; None where it is none."""
    return _phrase(_cut(text), _NOT_PLACES, owner=owner, me=me)


def _phrase(words: list[str], excluded: frozenset[str], *, owner: str | None, me: str | None) -> str | None:
    if not words or words[-1] in excluded or len(words[-1]) < 3:
        return None
    whose = words[0].lower()
    if whose in ("his", "her"):
        return None if owner is None or len(words) == 1 else " ".join([f"{owner}'s", *words[1:]])
    if whose == "my" and me is not None:
        return None if len(words) == 1 else " ".join([f"{me}'s", *words[1:]])
    return " ".join(words)


def _cut(text: str) -> list[str]:
    words = text.split()
    if words and words[0].lower() in ("the", "a", "an", "this", "that", "some"):
        words = words[1:]  # a possessive stays, since my keys are not your keys
    kept: list[str] = []
    for word in words:
        if word.lower() in _BREAKS:
            break
        kept.append(word)
    if len(kept) > 1 and kept[-1].endswith("ing"):
        kept.pop()  # "at the door playing with his phone"
    return kept if kept[-1:] != ["of"] else kept[:-1]
