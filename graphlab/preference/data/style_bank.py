"""Sentences of :class:`StylePreferences`: topics with advice, and ways to put it."""

#: Styles, the first value against the second. A list needs several pieces of advice.
STYLES = {
    "length": ("long", "short"),
    "formality": ("formal", "casual"),
    "confidence": ("assertive", "hedging"),
    "layout": ("list", "prose"),
}
#: What nobody likes, in what is answered.
FLAWS = ("rude", "scrambled", "off topic", "repetitive")

QUESTIONS = (
    "How do I {task}?",
    "What helps to {task}?",
    "I want to {task}. Any advice?",
    "What is a good way to {task}?",
)

#: Frames around a piece of advice, by formality and confidence.
FRAMES = {
    ("formal", "assertive"): (
        "It is essential to {tip}.",
        "One must always {tip}.",
        "The correct procedure is to {tip}.",
    ),
    ("formal", "hedging"): (
        "It may be advisable to {tip}.",
        "One could perhaps {tip}.",
        "It would possibly be of benefit to {tip}.",
    ),
    ("casual", "assertive"): (
        "Just {tip}, period!",
        "You totally gotta {tip}!",
        "Yeah, {tip}, works every time!",
    ),
    ("casual", "hedging"): (
        "Hmm, maybe {tip}, dunno.",
        "You could kinda {tip}, I guess?",
        "Not sure, but hey, try to {tip}?",
    ),
}
RUDE = (
    "What a stupid question.",
    "Only an idiot would ask that.",
    "Stop wasting my time.",
    "You are clearly too dumb for this.",
)

#: Task -> pieces of advice.
TOPICS = {
    "keep basil alive": (
        "put the pot in a bright window",
        "water it from below",
        "pinch off the flowers",
        "move it to a larger pot",
        "harvest the tips every week",
    ),
    "bake crusty bread": (
        "preheat the oven with a heavy pot inside",
        "let the dough rise overnight",
        "score the loaf with a sharp blade",
        "add steam in the first ten minutes",
        "cool the loaf on a rack",
    ),
    "sleep better": (
        "go to bed at the same hour",
        "keep the room dark",
        "leave the phone in the kitchen",
        "skip coffee after lunch",
        "open the window before bed",
    ),
    "fix a flat bicycle tire": (
        "look for glass in the tread",
        "roughen the tube around the hole",
        "wait until the glue is dry",
        "press the patch down firmly",
        "check the rim tape",
    ),
    "learn the guitar": (
        "practise twenty minutes a day",
        "tune the strings before playing",
        "start with three easy chords",
        "play along with slow songs",
        "keep the wrist relaxed",
    ),
    "train for a long run": (
        "increase the distance slowly",
        "take one day off each week",
        "drink water before setting out",
        "wear shoes that are broken in",
        "run most miles at an easy pace",
    ),
    "save money on groceries": (
        "write a list before shopping",
        "buy rice and beans in bulk",
        "cook a large pot on Sunday",
        "compare the price per pound",
        "freeze what is left over",
    ),
    "clean a cast iron pan": (
        "scrub it with coarse salt",
        "dry it on the stove",
        "rub in a thin coat of oil",
        "keep it out of the dishwasher",
        "heat it until it smokes",
    ),
    "prepare for a job interview": (
        "read about the company",
        "rehearse answers aloud",
        "bring two questions of your own",
        "arrive ten minutes early",
        "lay out clean clothes the night before",
    ),
    "calm a barking dog": (
        "close the curtains",
        "reward it when it is quiet",
        "take it for a longer walk",
        "give it something to chew",
        "stay calm and speak softly",
    ),
    "grow tomatoes on a balcony": (
        "choose a small variety",
        "tie the stems to a stake",
        "feed the plants every two weeks",
        "remove the side shoots",
        "shelter them from heavy rain",
    ),
    "pack a small suitcase": (
        "roll the shirts",
        "wear the heaviest shoes",
        "put socks inside the shoes",
        "take half of what seems needed",
        "use one bag for cables",
    ),
    "remember names": (
        "repeat the name aloud",
        "link it to a picture",
        "write it down afterwards",
        "use it once when leaving",
        "ask how it is spelled",
    ),
    "write a clear email": (
        "say what is wanted in the first line",
        "keep to one subject",
        "name a date for the reply",
        "cut every second adjective",
        "read it once before sending",
    ),
    "paint a room": (
        "wash the walls with soap",
        "tape the edges of the windows",
        "begin with the ceiling",
        "use a wide roller",
        "leave a day between coats",
    ),
    "cook fluffy rice": (
        "rinse the grains until the water is clear",
        "keep the lid closed",
        "turn the heat down early",
        "let it rest for ten minutes",
        "loosen it with a fork",
    ),
    "photograph the night sky": (
        "set the camera on a tripod",
        "leave the city lights behind",
        "open the aperture fully",
        "focus on a bright star by hand",
        "use a timer for the shutter",
    ),
    "speed up an old laptop": (
        "remove programs that start by themselves",
        "blow the dust out of the fan",
        "install a solid state drive",
        "close unused browser tabs",
        "add more memory",
    ),
    "study for an exam": (
        "solve last year's questions",
        "explain the matter to a friend",
        "take a break every half hour",
        "sleep well the night before",
        "begin with the hardest chapter",
    ),
    "make good coffee": (
        "grind the beans just before brewing",
        "weigh the water",
        "rinse the paper filter",
        "let the kettle cool for a minute",
        "clean the machine every month",
    ),
    "keep houseplants healthy": (
        "feel the soil before watering",
        "wipe the dust off the leaves",
        "turn the pots every week",
        "use pots with a hole below",
        "keep them away from the heater",
    ),
    "start a book club": (
        "invite six people at most",
        "pick a short book first",
        "meet on a fixed evening",
        "prepare three questions",
        "let everyone choose in turn",
    ),
    "remove a wine stain": (
        "blot it with a cloth",
        "cover it with salt",
        "rinse it with cold water",
        "treat it before washing",
        "test the soap on a hidden seam",
    ),
    "teach a child to swim": (
        "begin in shallow water",
        "blow bubbles together",
        "hold the child under the belly",
        "play games with a ball",
        "stop before the child is cold",
    ),
    "cycle in the rain": (
        "lower the tire pressure a little",
        "brake earlier than usual",
        "avoid painted lines",
        "fit long mudguards",
        "put the phone in a plastic bag",
    ),
    "knit a warm scarf": (
        "choose thick wool",
        "cast on thirty stitches",
        "count the stitches after each row",
        "keep the yarn loose",
        "wash it flat in cool water",
    ),
    "give a short talk": (
        "practise in front of a mirror",
        "put one idea on each slide",
        "look at the back row",
        "begin with a story",
        "end five minutes early",
    ),
    "keep bees": (
        "join a local club",
        "place the hive in morning sun",
        "inspect the frames every week",
        "leave honey for the winter",
        "plant clover nearby",
    ),
    "sharpen a kitchen knife": (
        "soak the stone in water",
        "hold the blade at a low angle",
        "draw it across in one motion",
        "turn the blade after ten strokes",
        "finish on the fine side",
    ),
    "hike in the mountains": (
        "check the forecast at dawn",
        "carry a paper map",
        "tell a friend the route",
        "turn back before noon",
        "wear layers of wool",
    ),
    "learn new words in a language": (
        "write them on small cards",
        "read a page every day",
        "label things in the house",
        "use each word in a sentence",
        "review them after a week",
    ),
    "quiet a squeaky door": (
        "tighten the screws of the hinges",
        "rub the pin with wax",
        "put a drop of oil on top",
        "swing it a few times",
        "sand the edge that sticks",
    ),
}
