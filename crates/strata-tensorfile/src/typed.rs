//! Tensors of several types, for data sets: pixels are bytes, labels are integers.

/// A named array in C order; the number of values is the product of `shape`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedTensor {
    /// Unique within a file, like `images`.
    pub name: String,
    /// Slowest dimension first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, last dimension fastest.
    pub values: Values,
}

/// The values of a tensor. Types of a file are widened to the nearest of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `uint8`.
    U8(Vec<u8>),
    /// `int64`; also `int32`.
    I64(Vec<i64>),
    /// `float32`; also `float64`, rounded.
    F32(Vec<f32>),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type, as torch and `NumPy` call it.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::U8(_) => "uint8",
            Self::I64(_) => "int64",
            Self::F32(_) => "float32",
        }
    }

    /// Little endian.
    pub(crate) fn bytes(&self) -> std::borrow::Cow<'_, [u8]> {
        match self {
            Self::U8(values) => values.into(),
            Self::I64(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F32(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }
}
