//! Verb `execute`: run a program; segments come out as they appear, with the claim of each.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    Assumption, AssumptionReceipt, CoprocessorCallback, Digest, ExecutorEnv, ExecutorEnvBuilder,
    ExecutorImpl, ExitCode, NullSegmentRef, ProveKeccakRequest, Segment, SegmentRef, Session,
};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{object, Ask, Emit, Hex, Reply};
use crate::error::HostError;
use crate::receipts::encode;
use crate::{assumptions, claim, fault, image, panics, segment};

/// What is kept of each of a guest's stdout and stderr.
const WORDS: usize = 1 << 20;

#[derive(Deserialize)]
struct Args {
    po2: u32,
    cycle_limit: Option<u64>,
    input_limit: Option<u64>,
    image_id: Option<Hex>,
    /// Whether the caller proves keccak requests; without that they are refused.
    #[serde(default)]
    keccak: bool,
    /// How many rows a keccak proof has at most, as a power of two: 14 to 18.
    keccak_po2: Option<u32>,
    /// Whether anything is proved at all: if not, nothing comes out on the way.
    #[serde(default = "yes")]
    proved: bool,
    /// Claims that the guest may rely on without a receipt; what does is not proved.
    #[serde(default)]
    assumed: Vec<Assumed>,
    /// What the random bytes of the guest come of; with none, they are the system's.
    seed: Option<Hex>,
}

/// A claim, and which recursion programs may prove it: those of any receipt where nothing is said.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Assumed {
    Claim(Hex),
    Under { claim: Hex, control_root: Hex },
}

impl From<Assumed> for Assumption {
    fn from(assumed: Assumed) -> Self {
        match assumed {
            Assumed::Claim(Hex(claim)) => Self { claim, control_root: Digest::ZERO },
            Assumed::Under { claim, control_root } => {
                Self { claim: claim.0, control_root: control_root.0 }
            }
        }
    }
}

fn yes() -> bool {
    true
}

/// Return journal, stdout and stderr of a guest that ended well.
pub fn run(ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [program, input, relied @ ..] = &ask.parts[..] else {
        return Err(HostError::BadInput("host execute takes a program and an input".into()));
    };
    check(&args, input)?;
    let (blob, id) = image::load_as(program, args.image_id)?;
    let (stdout, stderr) = (Words::default(), Words::default());
    let mut builder = environment(&args, input, (&stdout, &stderr))?;
    for receipt in assumptions::receipts(relied)? {
        builder.add_assumption(receipt);
    }
    for assumed in args.assumed.iter().copied() {
        builder.add_assumption(AssumptionReceipt::Unresolved(assumed.into()));
    }
    let emit = args.proved.then_some(emit);
    let keccaks = Keccaks { emit, wanted: args.keccak, count: 0 };
    let env = builder.coprocessor_callback(keccaks).build();
    let env = env.map_err(|error| HostError::failed("execute", &error))?;
    let session = guarded(&args, env, &blob, emit)
        .map_err(|error| error.wrote(stdout.take(), stderr.take()))?;
    let mut done = done(&session).map_err(|error| HostError::failed("execute", &error))?;
    done.insert("image_id".into(), id.to_string().into());
    let journal = session.journal.map(|journal| journal.bytes).unwrap_or_default();
    Ok(Reply { done, parts: vec![journal, stdout.take(), stderr.take()] })
}

fn guarded(
    args: &Args,
    env: ExecutorEnv<'_>,
    blob: &[u8],
    emit: Option<&dyn Emit>,
) -> Result<Session, HostError> {
    // Some faults of a guest are panics in the executor; nothing of it outlives them.
    panics::guard(|| match args.seed {
        Some(Hex(seed)) => farm_entropy::seeded(seed.into(), || execute(env, blob, emit)),
        None => execute(env, blob, emit),
    })
    .map_err(|text| HostError::GuestPanicked(format!("the executor gave up: {text}")))?
    .map_err(|error| fault::of(error, args.cycle_limit))
}

fn check(args: &Args, input: &[u8]) -> Result<(), HostError> {
    let po2 = args.po2;
    if po2 != 14 && !(16..=22).contains(&po2) {
        // At 15 the executor keeps 25,000 of the 32,768 rows back, and any guest falls to pieces.
        return Err(HostError::BadInput(format!("segment po2 {po2}: use 14, or 16 to 22")));
    }
    match args.input_limit {
        Some(limit) if input.len() as u64 > limit => {
            Err(HostError::InputTooLarge(input.len() as u64, limit))
        }
        _ => Ok(()),
    }
}

fn environment<'a>(
    args: &Args,
    input: &'a [u8],
    (stdout, stderr): (&Words, &Words),
) -> Result<ExecutorEnvBuilder<'a>, HostError> {
    let mut builder = ExecutorEnv::builder();
    builder
        .stdin(input)
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .segment_limit_po2(args.po2)
        .session_limit(args.cycle_limit);
    if let Some(po2) = args.keccak_po2 {
        builder.keccak_max_po2(po2).map_err(|error| HostError::BadInput(error.to_string()))?;
    }
    Ok(builder)
}

fn execute(env: ExecutorEnv<'_>, blob: &[u8], emit: Option<&dyn Emit>) -> anyhow::Result<Session> {
    let session = ExecutorImpl::from_elf(env, blob)?.run_with_callback(|segment| {
        if let Some(emit) = emit {
            pass_on(&segment, emit)?;
        }
        Ok(Box::new(NullSegmentRef) as Box<dyn SegmentRef>)
    })?;
    match session.exit_code {
        ExitCode::Halted(0) => Ok(session),
        ExitCode::Halted(code) => Err(fault::Exit(format!("it exited with code {code}")).into()),
        code => Err(fault::Exit(format!("it did not end, but {code:?}")).into()),
    }
}

fn pass_on(segment: &Segment, emit: &dyn Emit) -> anyhow::Result<()> {
    let (bytes, claim) = segment::encode(segment)?;
    let facts = json!({
        "index": segment.index,
        "po2": segment.po2(),
        "claim": claim::to_json(&claim),
        "digest": claim.digest().to_string(),
    });
    Ok(emit.emit("segment", object(&facts), &bytes).map_err(HostError::Gone)?)
}

fn done(session: &Session) -> anyhow::Result<crate::ask::Object> {
    let (claim, steps) = assumptions::resolved(session)?;
    let (sys_exit, user_exit) = session.exit_code.into_pair();
    Ok(object(&json!({
        "segments": session.segments.len(),
        "sys_exit": sys_exit,
        "user_exit": user_exit,
        "cycles": {
            "user": session.user_cycles,
            "paging": session.paging_cycles,
            "reserved": session.reserved_cycles,
            "total": session.total_cycles,
        },
        "claim": claim::to_json(&claim),
        "digest": claim.digest().to_string(),
        "assumptions": steps,
    })))
}

/// Passes on what the guest wants hashed; each request is proved by `prove-keccak`.
struct Keccaks<'a> {
    /// None where nothing is proved.
    emit: Option<&'a dyn Emit>,
    wanted: bool,
    count: u32,
}

impl CoprocessorCallback for Keccaks<'_> {
    fn prove_keccak(&mut self, request: ProveKeccakRequest) -> anyhow::Result<()> {
        let Some(emit) = self.emit else { return Ok(()) };
        if !self.wanted {
            let text = "the guest uses the keccak circuit, which its caller does not prove";
            return Err(HostError::HostFailed("execute".into(), text.into()).into());
        }
        let claim = request.claim_digest.to_string();
        let facts = json!({"index": self.count, "po2": request.po2, "digest": claim});
        let bytes = encode("execute", &request)?;
        self.count += 1;
        Ok(emit.emit("keccak", object(&facts), &bytes).map_err(HostError::Gone)?)
    }
}

/// What a guest writes, up to a cap; the rest is counted as written and dropped.
#[derive(Clone, Default)]
struct Words(Rc<RefCell<Vec<u8>>>);

impl Words {
    fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Words {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut kept = self.0.borrow_mut();
        let room = WORDS - kept.len();
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
