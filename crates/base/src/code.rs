//! Stable error codes: a code, once released, never changes its meaning.

macro_rules! codes {
    ($($name:ident = $text:literal: $doc:literal,)*) => {
        /// What kind of mistake a diagnostic reports. The text (`E0101`) is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $name,)* }

        impl Code {
            /// All codes in order.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code of this stable text.
            pub fn from_text(text: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.text() == text)
            }

            /// Whether it is the code of a warning.
            pub fn is_warning(self) -> bool {
                self.text().starts_with('W')
            }

            /// The stable text, such as `E0101`.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// One sentence that says what the code stands for.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $doc,)* }
            }
        }
    };
}

codes! {
    // E00xx: the file and its YAML
    Unreadable = "E0001": "The pipeline file cannot be read.",
    YamlSyntax = "E0002": "The text is not valid YAML.",
    YamlTrap = "E0003": "YAML reads this text otherwise than it looks.",
    UnknownKey = "E0010": "No such key here.",
    MissingKey = "E0011": "A required key is missing.",
    DuplicateKey = "E0012": "The same key stands twice.",
    WrongShape = "E0013": "Another shape of value is expected here: a list, a mapping or a single value.",
    BadName = "E0014": "A name must be a letter or `_`, then letters, digits or `_`.",
    BadValue = "E0015": "The value is not one of those allowed here.",
    // E01xx: steps and the graph they make
    UnknownOperator = "E0101": "No operator has this name.",
    NoOperator = "E0102": "A step names no operator, or more than one.",
    UnknownStep = "E0103": "No step has this name.",
    Cycle = "E0104": "Steps feed each other in a circle.",
    WrongInputs = "E0105": "The operator takes another number of inputs.",
    DuplicateName = "E0106": "Two things have the same name.",
    NoSteps = "E0108": "The pipeline has no steps.",
    // E02xx: expressions
    ExprSyntax = "E0201": "The expression cannot be read.",
    UnknownName = "E0202": "No column, parameter or function value has this name.",
    UnknownFunction = "E0203": "No function has this name.",
    WrongArguments = "E0204": "The function takes other arguments.",
    TypeMismatch = "E0205": "The types do not fit.",
    NotConstant = "E0206": "A value known before the run is expected here.",
    MisplacedReduction = "E0207": "A reduction stands where a value per row is expected, or the reverse.",
    BadLiteral = "E0208": "The number or string cannot be represented.",
    Recursion = "E0209": "A function uses itself.",
    TooDeep = "E0210": "The expression is nested too deeply.",
    // E03xx: columns, dimensions, parameters
    UnknownColumn = "E0301": "No column has this name.",
    UnknownDimension = "E0302": "No dimension has this name.",
    UnknownParam = "E0303": "No parameter has this name.",
    SchemaClash = "E0304": "The inputs do not have the same columns.",
    BadDomain = "E0305": "The range or grid is empty, too large or not a grid.",
    UnknownAttribute = "E0306": "No variable of this name is written.",
    // E04xx: files
    MissingInput = "E0401": "An input file does not exist or cannot be read.",
    BadInput = "E0402": "An input file is not what its format says.",
    OutputExists = "E0403": "The output exists already.",
    OutputUnwritable = "E0404": "The output cannot be written there.",
    UnknownFormat = "E0405": "No format has this name or file ending.",
    DuplicateOutput = "E0406": "Two steps write the same file.",
    UnsupportedData = "E0407": "The format cannot hold this type or shape.",
    NotReplaced = "E0408": "What stands under the name of an output is not of a kind that is replaced.",
    OutputIsInput = "E0409": "An output would take the place of an input, or become one.",
    CallRefused = "E0410": "The step uses a program or an address, and `--no-calls` refuses that.",
    BadProgram = "E0411": "A program does not exist, cannot be executed, or does not do what is expected of it.",
    // E05xx: tests inside the file
    BadTest = "E0501": "The test names something that is not there.",
    // E09xx: ours
    Internal = "E0901": "A mistake in Tidemill itself; please report it.",
    // W00xx: the pipeline file
    UnusedParam = "W0001": "Nothing uses this parameter.",
    ShadowedName = "W0002": "A name hides another of the same spelling.",
    BitwiseXor = "W0003": "`^` on integers is exclusive or, not a power.",
    PopulationSpread = "W0004": "`std` and `var` without `ddof` divide by n, not by n - 1.",
    OtherPoints = "W0006": "Reductions in one expression are of other points of a box.",
    // W01xx: what inputs hold
    ColumnsLeftOut = "W0101": "Columns or variables of an input that no column can hold are left out.",
    TypeNarrowed = "W0102": "Values are read as another type than the file has.",
    FilesLeftOut = "W0103": "Files or folders inside an input are not read.",
    FilesOverlap = "W0104": "Files that follow each other overlap or leave a gap.",
    UnitsDiffer = "W0105": "Files or variables that are put together have other units or attributes.",
    AttributeIgnored = "W0106": "An attribute of a variable cannot be used as it is written.",
    TextReplaced = "W0107": "Bytes that are not UTF-8 are replaced.",
    OutOfValidRange = "W0108": "Values outside of a variable's valid range are missing values.",
    TypeGuessed = "W0109": "The values of a text file leave open of which type they are.",
    // W02xx: what outputs will not hold
    DescriptionLost = "W0201": "What an input says of itself is not in the output.",
    TypeWidened = "W0202": "Values are written as another type than the input has.",
    // W03xx: what came of values, counted during the run
    DivisionByZero = "W0301": "Integers were divided by zero.",
    IntegerOverflow = "W0302": "Integers were too large for their type and wrapped around.",
    ShiftOutOfRange = "W0303": "Integers were shifted by as many bits as they have, or more, or by fewer than none.",
    NanMade = "W0304": "Numbers gave NaN.",
    CastSaturated = "W0305": "Numbers did not fit the type that they were turned into.",
    // W04xx: the run
    ResultCut = "W0401": "A result is shown in part.",
    LedgerSetAside = "W0402": "A ledger cannot be used.",
    SpillInMemory = "W0403": "Rows that do not fit into memory go to a folder in memory.",
    RowsFailed = "W0404": "Rows failed, and were kept with what went wrong or left out.",
    ProgramSaid = "W0405": "A program wrote to its standard error, was started again, or had to be ended.",
    FewerInFlight = "W0406": "Less is in flight than was asked for: the system does not allow as many open files.",
}
