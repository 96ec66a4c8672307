//! Decides which adapters may go into a build: a voice that changes facts or citations is refused.

use std::path::Path;

use anchorite::index::bundle::WeightFile;
use anchorite::model::adapter::Voice;
use sha2::{Digest, Sha256};

use super::compare;
use super::verdict::Agreement;
use crate::build::cache::hex;
use crate::models::choice;
use crate::models::store::ModelArguments;
use crate::report::Hint;

/// Refuses a voice that was compared with its base and is not faithful; compares voices that are not known yet.
///
/// A voice is known if the registry has its file and its measurements, or if this machine has compared it before.
/// `voices` holds the voice of each adapter.
pub(crate) fn admit(
    named: &ModelArguments,
    generator: (&str, &WeightFile),
    adapters: &[WeightFile],
    voices: &[Option<Voice>],
) -> anyhow::Result<()> {
    let (value, generator) = generator;
    let with_voice = || {
        adapters
            .iter()
            .zip(voices)
            .filter(|(_, voice)| voice.is_some())
    };
    if with_voice().next().is_none() {
        return Ok(());
    }
    let own = choice::own_adapter(named, value)?;
    let silent = adapters
        .iter()
        .zip(voices)
        .find(|(_, voice)| voice.is_none());
    let Some(base) = own.as_ref().or(silent.map(|(adapter, _)| adapter)) else {
        eprintln!("the voices were not compared: no adapter without one says what they began with");
        return Ok(());
    };
    for (adapter, _) in with_voice() {
        let (agreement, where_from) = agreement(named, generator, base, adapter)?;
        if !agreement.is_faithful() {
            return Err(Hint::error(
                format!(
                    "voice `{}` says other things than `{}`: {:.1} % of the citations and {:.1} % of the facts are equal, expected 99 % and 98 % ({where_from})",
                    adapter.name,
                    base.name,
                    agreement.equal_citations * 100.0,
                    agreement.equal_facts * 100.0
                ),
                format!(
                    "see what it says with `anchorite adapter check {} --json`, and train it further, on answers of `{}`",
                    adapter.name, base.name
                ),
            ));
        }
    }
    Ok(())
}

/// How far a voice agrees with its base, and where that is known from.
fn agreement(
    named: &ModelArguments,
    generator: &WeightFile,
    base: &WeightFile,
    voice: &WeightFile,
) -> anyhow::Result<(Agreement, &'static str)> {
    let hash = |file: &WeightFile| hex(&Sha256::digest(&file.bytes));
    let (voice_hash, base_hash) = (hash(voice), hash(base));
    if let Some(measured) = named.registry()?.measured(&voice_hash, &base_hash) {
        let agreement = Agreement {
            equal_citations: measured.equal_citations,
            equal_facts: measured.equal_facts,
        };
        return Ok((agreement, "as the registry has it"));
    }
    let kept = named.store().ok().map(|store| {
        // Hashing the generator takes longest, and a registered voice doesn't need it.
        let hashes = [hash(generator), base_hash, voice_hash];
        let name = hex(&Sha256::digest(hashes.concat()));
        store.dir.join("voices").join(format!("{name}.json"))
    });
    if let Some(agreement) = kept.as_deref().and_then(read) {
        return Ok((agreement, "compared here before"));
    }
    eprintln!(
        "comparing voice `{}` with `{}`, once",
        voice.name, base.name
    );
    let agreement = compare(generator.clone(), base, voice, false, usize::MAX)?.agreement();
    if let Some(path) = kept {
        keep(&path, agreement);
    }
    Ok((agreement, "compared just now"))
}

fn read(path: &Path) -> Option<Agreement> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Ignores errors: an agreement that can't be kept is merely measured again.
fn keep(path: &Path, agreement: Agreement) {
    let Some(folder) = path.parent() else { return };
    let kept = serde_json::to_vec(&agreement)
        .ok()
        .filter(|_| std::fs::create_dir_all(folder).is_ok());
    if let Some(bytes) = kept {
        let _ = std::fs::write(path, bytes);
    }
}
