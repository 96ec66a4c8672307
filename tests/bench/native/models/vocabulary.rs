//! Makes a byte-level vocabulary of a given size in which every word of two letters is one token.
//!
//! Some engines take a prompt only as text, others only as token ids. Here both say the same: the word ` xy` is the token
//! [`FIRST_WORD`]` + 26 x + y`, letters counted from `a`.

/// Tokens that end a text, start a turn and end it.
const CONTROL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
/// Control tokens, and a token for each byte. A greedy decoder must not choose them, so that no engine stops or meets text
/// that is not UTF-8.
pub(crate) const N_UNCHOSEN: usize = CONTROL.len() + 256;
const N_PAIRS: usize = 26 * 26;
/// The token of the word ` aa`.
pub(crate) const FIRST_WORD: usize = N_UNCHOSEN + N_PAIRS;

/// The pieces and their merges, as `tokenizer.ggml.*` lists them.
pub(crate) struct Vocabulary {
    pub(crate) tokens: Vec<String>,
    pub(crate) merges: Vec<String>,
    /// llama.cpp's token types: 3 for control, 1 for text.
    pub(crate) types: Vec<i32>,
}

impl Vocabulary {
    /// Merges for all tokens but the first, as in a trained vocabulary: an engine's loading time depends on their number.
    pub(crate) fn new(n_tokens: usize) -> Self {
        let mut vocabulary = Self {
            tokens: CONTROL.map(str::to_owned).into(),
            merges: Vec::new(),
            types: vec![3; CONTROL.len()],
        };
        for byte in 0..=255 {
            vocabulary.tokens.push(spell(byte).to_string());
        }
        let letters = || 'a'..='z';
        let pairs = || letters().flat_map(move |x| letters().map(move |y| format!("{x}{y}")));
        // These two merges are the only ones in a word of two letters, so it always becomes one token.
        let space = spell(b' ');
        let words = pairs().map(|pair| (space.to_string(), pair));
        let short = letters().flat_map(|x| letters().map(move |y| (x.to_string(), y.to_string())));
        let triples =
            pairs().flat_map(|pair| letters().map(move |z| (pair.clone(), z.to_string())));
        let longer_words = triples
            .clone()
            .map(|(pair, z)| (space.to_string(), format!("{pair}{z}")));
        let quadruples = pairs().flat_map(|left| pairs().map(move |right| (left.clone(), right)));
        let merges = short
            .chain(words)
            .chain(triples)
            .chain(longer_words)
            .chain(quadruples)
            .take(n_tokens - N_UNCHOSEN);
        for (left, right) in merges {
            vocabulary.tokens.push(format!("{left}{right}"));
            vocabulary.merges.push(format!("{left} {right}"));
        }
        assert_eq!(vocabulary.tokens.len(), n_tokens, "pieces for all tokens");
        assert_eq!(
            vocabulary.tokens[FIRST_WORD],
            format!("{space}aa"),
            "the first word lies where the prompts expect it"
        );
        vocabulary.types.resize(n_tokens, 1);
        vocabulary
    }
}

/// The character by which GPT-2's vocabularies spell a byte: itself where it is printable, else from U+0100 up in order.
fn spell(byte: u8) -> char {
    let is_printable = |b: &u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(&byte) {
        return char::from(byte);
    }
    let n_before = (0..byte).filter(|b| !is_printable(b)).count();
    u32::try_from(n_before)
        .ok()
        .and_then(|n| char::from_u32(0x100 + n))
        .expect("68 characters in the block Latin Extended-A")
}
