//! What one seed draws before anything runs: module, line, network, workload, and which faults come how often.

use std::time::Duration;

use virtual_modem::{Action, ByteAction, ByteSwarm, Hook, Swarm, Vendor};

use crate::random::Random;

/// The vendors in the order in which seeds take turns.
const VENDORS: [Vendor; 4] = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];

/// How long the module waits for the data behind a prompt.
pub const PROMPT_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Plan {
    pub seed: u64,
    pub vendor: Vendor,
    /// Whether the seed was given a vendor, and must be for its replay.
    pub vendor_was_chosen: bool,
    pub baud: Option<u32>,
    pub rtt: Duration,
    pub clients: usize,
    pub publishes: usize,
    pub manner: Manner,
    pub module: Option<Swarm>,
    /// Faults of the line, to the host and to the module.
    pub line: [Option<ByteSwarm>; 2],
    /// Bytes are altered or lost on the line. No checksum protects them there, so that nothing is promised of their
    /// meaning; everything else still holds.
    pub corrupts: bool,
    /// Foreign lines come inside of messages. What a stranger has put at the end of a message could not be told from
    /// lines then, so that all payloads end in harmless bytes.
    pub interrupts: bool,
    /// At which messages they come besides the swarm's, which are rare.
    pub interrupted: Vec<u32>,
    /// Whether the library brings back what is lost, or the harness does.
    pub supervised: bool,
}

/// How tasks publish.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The longest pause between two publishes of a task.
    pub pause: Duration,
    pub longest_payload: usize,
    /// How many calls in a hundred are given up.
    pub given_up: u64,
    /// After how long they are given up at the most.
    pub patience: Duration,
}

impl Plan {
    pub fn new(seed: u64, vendor: Option<Vendor>) -> Self {
        let mut random = Random::new(seed, 1);
        let turn = usize::try_from(seed % 4).unwrap();
        let chosen = vendor.unwrap_or(VENDORS[turn]);
        let most = match chosen {
            Vendor::Quectel => 3,
            Vendor::Neoway => 1,
            _ => 2,
        };
        let corrupts = random.percent(20);
        let interrupts = random.percent(25);
        let supervised = random.percent(70);
        let module = random.percent(85).then(|| module_swarm(random.number(), chosen, interrupts));
        let mut line = [random.number(), random.number()].map(|seed| Some(line_swarm(seed, corrupts)));
        if !corrupts && random.percent(50) {
            line = [None, None];
        }
        let interrupted = (0..INTERRUPTIONS).map(|_| 1 + u32::try_from(random.below(60)).unwrap()).collect();
        Self {
            seed,
            vendor: chosen,
            vendor_was_chosen: vendor.is_some(),
            baud: *random.pick(&[Some(115_200), Some(115_200), Some(921_600), None]),
            rtt: Duration::from_millis(*random.pick(&[0, 50, 200, 1500])),
            clients: 1 + random.index(most),
            publishes: 50,
            manner: Manner::new(&mut random),
            module,
            line,
            corrupts,
            interrupts,
            interrupted: if interrupts { interrupted } else { Vec::new() },
            supervised,
        }
    }
}

impl Manner {
    fn new(random: &mut Random) -> Self {
        let pause = Duration::from_millis(*random.pick(&[0, 200, 5000]));
        let longest_payload = *random.pick(&[64, 64, 300, 1024]);
        // Those who give up soon do so in the middle of a payload now and then.
        let (given_up, patience) = *random.pick(&[(10, 3000), (10, 3000), (50, 200)]);
        Self { pause, longest_payload, given_up, patience: Duration::from_millis(patience) }
    }
}

/// How often a message is cut in two where that is drawn at all.
const INTERRUPTIONS: usize = 10;

/// Faults of the module under which every promise holds.
fn module_swarm(seed: u64, vendor: Vendor, interrupts: bool) -> Swarm {
    let swarm = Swarm::new(seed).only(|hook, action| match (hook, action) {
        // "One answer per command" is what everything rests on: a second `OK` looks like the next command's.
        (Hook::BeforeFinal, Action::Duplicate) => false,
        // Nor can the result of a command be told from the next one's if the module refused the command and then obeyed.
        (Hook::BeforeFinal, Action::Error) => matches!(vendor, Vendor::Quectel | Vendor::Neoway),
        // A result without a number of its own that comes twice looks like the next one's.
        (Hook::BetweenFinalAndResult, Action::Duplicate) => vendor == Vendor::Quectel,
        (Hook::InsideMessage, _) => interrupts,
        _ => true,
    });
    // A prompt must come, and the module's patience for its data must be over, before the host's bound is.
    let before_prompt = Duration::from_secs(4);
    [Hook::BeforeEcho, Hook::AfterLine, Hook::BeforePrompt]
        .into_iter()
        .fold(swarm, |swarm, hook| swarm.longest_delay(hook, before_prompt))
        .longest_delay(Hook::MidPayload(0), PROMPT_PATIENCE - Duration::from_secs(8))
}

fn line_swarm(seed: u64, corrupts: bool) -> ByteSwarm {
    let swarm = ByteSwarm::new(seed).only(|action| {
        let harmless = matches!(action, ByteAction::Split | ByteAction::Stall(_));
        let breaks =
            matches!(action, ByteAction::InputOutputError | ByteAction::NoSuchDevice | ByteAction::End);
        corrupts || harmless || breaks
    });
    // A line that stands still for longer in its middle counts as damaged.
    swarm.longest_stall(Duration::from_millis(400))
}
