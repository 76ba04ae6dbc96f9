//! The npy format of `NumPy` (NEP 1): one array with a Python literal for a header.

/// An array in C order: `elements.len()` is the product of `shape`.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Slowest dimension first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, last dimension fastest, whatever order the file had.
    pub elements: Elements,
}

/// The values of an array. Types of the file are widened to the nearest of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// `uint8` and `bool` (false 0, true 1).
    U8(Vec<u8>),
    /// `float32`.
    F32(Vec<f32>),
    /// `float64` and all other integers; 64-bit integers beyond 2⁵³ are rounded.
    F64(Vec<f64>),
}

impl Elements {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values as `f64`, which holds each exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::U8(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::F64(v) => v.clone(),
        }
    }
}

/// Why bytes are not an array that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    /// The bytes do not begin with `\x93NUMPY`.
    #[error("not an npy array: the magic `\\x93NUMPY` is missing")]
    Magic,
    /// A version other than 1.0, 2.0 or 3.0.
    #[error("npy version {major}.{minor} is not known; 1.0, 2.0 and 3.0 are")]
    Version {
        /// First number.
        major: u8,
        /// Second number.
        minor: u8,
    },
    /// The header is cut short, too long, or not the dictionary `NumPy` writes.
    #[error("the npy header is malformed: {0}")]
    Header(&'static str),
    /// A type that is not read; `|O` is a pickle and never will be.
    #[error("elements of type `{descr}` are not read; bool, integers, float32 and float64 are")]
    Dtype {
        /// The type as the header spells it.
        descr: String,
    },
    /// The shape's product overflows.
    #[error("the shape {shape:?} is too large")]
    Shape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// The data is shorter or longer than the shape says.
    #[error("the shape {shape:?} needs {expected} bytes of data, found {found}")]
    Length {
        /// The shape.
        shape: Vec<usize>,
        /// Bytes the shape needs.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
}

/// `NumPy` itself refuses longer headers unless told otherwise (`max_header_size` is 10,000).
const MAX_HEADER_BYTES: usize = 64 << 10;

/// `NumPy`'s own limit on dimensions.
const MAX_DIMENSIONS: usize = 64;

/// Reads one array from the whole bytes of an npy file.
///
/// # Errors
/// An [`NpyError`] for anything but a well-formed array of a type in [`Elements`].
pub fn parse(bytes: &[u8]) -> Result<Array, NpyError> {
    let (header, data) = split_header(bytes)?;
    let header = Header::parse(header)?;
    let kind = Kind::of(&header.descr)?;
    let n = header
        .shape
        .iter()
        .try_fold(1_usize, |n, &d| n.checked_mul(d));
    let expected = n
        .and_then(|n| n.checked_mul(kind.size))
        .ok_or_else(|| NpyError::Shape {
            shape: header.shape.clone(),
        })?;
    if data.len() != expected {
        return Err(NpyError::Length {
            shape: header.shape,
            expected,
            found: data.len(),
        });
    }
    let mut elements = kind.decode(data);
    if header.fortran_order && header.shape.len() > 1 {
        elements = match elements {
            Elements::U8(v) => Elements::U8(to_c_order(&v, &header.shape)),
            Elements::F32(v) => Elements::F32(to_c_order(&v, &header.shape)),
            Elements::F64(v) => Elements::F64(to_c_order(&v, &header.shape)),
        };
    }
    Ok(Array {
        shape: header.shape,
        elements,
    })
}

fn split_header(bytes: &[u8]) -> Result<(&[u8], &[u8]), NpyError> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or(NpyError::Magic)?;
    let (&[major, minor], rest) = rest
        .split_first_chunk()
        .ok_or(NpyError::Header("the version is missing"))?;
    const SHORT: NpyError = NpyError::Header("cut short");
    let (length, rest) = match (major, minor) {
        (1, 0) => {
            let (length, rest) = rest.split_first_chunk().ok_or(SHORT)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        (2 | 3, 0) => {
            let (length, rest) = rest.split_first_chunk().ok_or(SHORT)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        _ => return Err(NpyError::Version { major, minor }),
    };
    if length > MAX_HEADER_BYTES {
        return Err(NpyError::Header("longer than 64 KiB"));
    }
    rest.split_at_checked(length).ok_or(SHORT)
}

/// The three keys of the header, which `NumPy` requires to be exactly these.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, NpyError> {
        let text = str::from_utf8(bytes).map_err(|_| NpyError::Header("not text"))?;
        let mut literal = Literal { rest: text };
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        literal.expect('{')?;
        while !literal.take('}') {
            let key = literal.string()?;
            literal.expect(':')?;
            let seen = match key {
                "descr" => descr.replace(literal.descr()?).is_some(),
                "fortran_order" => fortran_order.replace(literal.boolean()?).is_some(),
                "shape" => shape.replace(literal.tuple()?).is_some(),
                _ => return Err(NpyError::Header("a key that is not NumPy's")),
            };
            if seen {
                return Err(NpyError::Header("a key appears twice"));
            }
            if !literal.take(',') {
                literal.expect('}')?;
                break;
            }
        }
        if !literal.rest.trim().is_empty() {
            return Err(NpyError::Header("text after the dictionary"));
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Self {
                descr,
                fortran_order,
                shape,
            }),
            _ => Err(NpyError::Header(
                "`descr`, `fortran_order` or `shape` is missing",
            )),
        }
    }
}

/// The few Python literals a header is made of.
struct Literal<'a> {
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn take(&mut self, token: char) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: char) -> Result<(), NpyError> {
        if self.take(token) {
            Ok(())
        } else {
            Err(NpyError::Header("punctuation is missing"))
        }
    }

    fn string(&mut self) -> Result<&'a str, NpyError> {
        let quote = if self.take('\'') {
            '\''
        } else {
            self.expect('"')?;
            '"'
        };
        let (text, rest) = self
            .rest
            .split_once(quote)
            .ok_or(NpyError::Header("a string has no end"))?;
        self.rest = rest;
        Ok(text)
    }

    /// A type; that of a structured array is a list, which is not read.
    fn descr(&mut self) -> Result<String, NpyError> {
        if self.rest.trim_start().starts_with('[') {
            return Err(NpyError::Dtype {
                descr: "structured".into(),
            });
        }
        self.string().map(str::to_owned)
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
        let text = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(NpyError::Header(
            "`fortran_order` is neither True nor False",
        ))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, NpyError> {
        let mut shape = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            let text = self.rest.trim_start();
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let (digits, rest) = text.split_at(end);
            // Python 2 wrote long integers with an `L`, and NumPy still reads them.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            shape.push(
                digits
                    .parse()
                    .map_err(|_| NpyError::Header("a bad dimension"))?,
            );
            if shape.len() > MAX_DIMENSIONS {
                return Err(NpyError::Header("more than 64 dimensions"));
            }
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }
}

/// What one element is in the file.
#[derive(Clone, Copy)]
struct Kind {
    letter: u8,
    size: usize,
    big_endian: bool,
}

impl Kind {
    fn of(descr: &str) -> Result<Self, NpyError> {
        let (big_endian, code) = match descr.as_bytes() {
            [b'<' | b'|' | b'=', code @ ..] => (false, code),
            [b'>', code @ ..] => (true, code),
            code => (false, code),
        };
        match code {
            [letter @ (b'b' | b'u' | b'i'), b'1']
            | [letter @ (b'u' | b'i'), b'2' | b'4' | b'8']
            | [letter @ b'f', b'4' | b'8'] => Ok(Self {
                letter: *letter,
                size: usize::from(code[1] - b'0'),
                big_endian,
            }),
            _ => Err(NpyError::Dtype {
                descr: descr.to_owned(),
            }),
        }
    }

    fn decode(self, data: &[u8]) -> Elements {
        match (self.letter, self.size) {
            (b'b', _) => Elements::U8(data.iter().map(|&b| u8::from(b != 0)).collect()),
            (b'u', 1) => Elements::U8(data.to_vec()),
            (b'i', 1) => Elements::F64(data.iter().map(|&b| f64::from(b.cast_signed())).collect()),
            (b'u', 2) => Elements::F64(self.words(data, |w| f64::from(u16::from_le_bytes(w)))),
            (b'i', 2) => Elements::F64(self.words(data, |w| f64::from(i16::from_le_bytes(w)))),
            (b'u', 4) => Elements::F64(self.words(data, |w| f64::from(u32::from_le_bytes(w)))),
            (b'i', 4) => Elements::F64(self.words(data, |w| f64::from(i32::from_le_bytes(w)))),
            (b'u', _) => Elements::F64(self.words(data, |w| u64::from_le_bytes(w) as f64)),
            (b'i', _) => Elements::F64(self.words(data, |w| i64::from_le_bytes(w) as f64)),
            (_, 4) => Elements::F32(self.words(data, f32::from_le_bytes)),
            _ => Elements::F64(self.words(data, f64::from_le_bytes)),
        }
    }

    fn words<const N: usize, T>(self, data: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (words, _) = data.as_chunks::<N>();
        let in_order = words.iter().map(|&word| {
            let mut word = word;
            if self.big_endian {
                word.reverse();
            }
            decode(word)
        });
        in_order.collect()
    }
}

/// Reorders values stored first dimension fastest to last dimension fastest.
fn to_c_order<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &d in shape {
        strides.push(stride);
        stride *= d;
    }
    let mut index = vec![0; shape.len()];
    let mut from = 0;
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        ordered.push(values[from]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}
