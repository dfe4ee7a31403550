//! Commands of the vendors that harm, or ask for data.

use super::part::{Form, Part};

/// Commands with which a person can lose the module, the SIM or the line, and what they do. Reading and testing them
/// is harmless.
const HARMFUL: &[(&str, &str)] = &[
    ("+CFUN", "switches the radio off or restarts the module"),
    ("+QPOWD", "switches the module off"),
    ("+CPOF", "switches the module off"),
    ("+CPWROFF", "switches the module off"),
    ("+CRESET", "restarts the module"),
    ("+RESET", "restarts the module"),
    ("+QRST", "restarts the module"),
    ("+QSCLK", "lets the module sleep, deaf to this port"),
    ("+CSCLK", "lets the module sleep, deaf to this port"),
    ("+QLINUXCMD", "runs a program on the module's own computer"),
    ("+QFOTADL", "replaces the module's firmware"),
    ("+QPRTPARA", "restores or overwrites the module's calibration and settings"),
    ("+QFASTBOOT", "leaves the module waiting for new firmware"),
    ("+QDOWNLOAD", "leaves the module waiting for new firmware"),
    ("+EGMR", "overwrites the module's serial number"),
    ("+IPR", "changes the speed of the port"),
    ("+ICF", "changes the character format of the port"),
    ("+CMUX", "turns the port into a multiplexer"),
    ("+CPIN", "tries a PIN, and three failures lock the SIM: --sim-pin tries it once"),
    ("+CPWD", "changes a password of the SIM"),
    ("+CLCK", "locks the SIM or the module"),
    ("&F", "restores factory settings"),
    ("&W", "changes the settings of the next start"),
    ("Z", "restores stored settings"),
];

/// Quectel's keys of `AT+QCFG` that change which ports the module has.
const PORT_KEYS: &[&str] = &["usbcfg", "usbnet", "usbmode"];

/// Commands of Quectel that open or switch a connection, and which argument, counted from 0, makes it transparent if it
/// is 2.
const ACCESS_MODES: &[(&str, usize)] = &[("+QIOPEN", 6), ("+QSSLOPEN", 5), ("+QISWTMD", 1)];

/// Commands that ask for data with a prompt.
const PROMPTING: &[(&str, Prompts)] = &[
    ("+QMTPUB", Prompts::Always),
    ("+QMTPUBEX", Prompts::UnlessQuoted),
    ("+QMTCFG", Prompts::ForKey("willex", 4)),
    ("+QFUPL", Prompts::Always),
    ("+QFWRITE", Prompts::Always),
    ("+QSECWRITE", Prompts::Always),
    ("+QISEND", Prompts::Always),
    ("+QSSLSEND", Prompts::Always),
    ("+QHTTPURL", Prompts::Always),
    ("+QHTTPPOST", Prompts::Always),
    ("+QHTTPPUT", Prompts::Always),
    ("+QFTPPUT", Prompts::Naming("\"COM:\"")),
    ("+QSMTPBODY", Prompts::Always),
    ("+CMGS", Prompts::Always),
    ("+CMGW", Prompts::Always),
    ("+CMGC", Prompts::Always),
    ("+CMQTTTOPIC", Prompts::Always),
    ("+CMQTTPAYLOAD", Prompts::Always),
    ("+CMQTTWILLTOPIC", Prompts::Always),
    ("+CMQTTWILLMSG", Prompts::Always),
    ("+CMQTTSUBTOPIC", Prompts::Always),
    ("+CMQTTUNSUBTOPIC", Prompts::Always),
    ("+CMQTTSUB", Prompts::WithArguments(3)),
    ("+CMQTTUNSUB", Prompts::WithArguments(2)),
    ("+CCERTDOWN", Prompts::Always),
    ("+CFTRANRX", Prompts::Always),
    ("+CIPSEND", Prompts::Always),
    ("+CCHSEND", Prompts::Always),
    ("+CASEND", Prompts::Always),
    ("+SMPUB", Prompts::Always),
    ("+SHBOD", Prompts::Always),
    ("+HTTPDATA", Prompts::Always),
    ("+CHTTPSSEND", Prompts::Always),
    ("+FSWRITE", Prompts::Always),
    ("+CFSWFILE", Prompts::Always),
    ("+MQTTPUB", Prompts::UnlessQuoted),
    ("+MQTTPUBS", Prompts::Always),
    ("+MQTTWILLMSG", Prompts::UnlessQuoted),
    ("+CLOUDPUBMSG", Prompts::Always),
    ("+AWSPUBMSG", Prompts::Always),
    ("+CERTADD", Prompts::Always),
    ("+TCPSEND", Prompts::UnlessQuoted),
    ("+UDPSEND", Prompts::UnlessQuoted),
    ("+MIPSEND", Prompts::UnlessQuoted),
    ("+MQTTWILL", Prompts::UnlessQuoted),
    ("+MQTTPUBRAW", Prompts::Always),
    ("+MQTTLONGCLIENTID", Prompts::Always),
    ("+MQTTLONGUSERNAME", Prompts::Always),
    ("+MQTTLONGPASSWORD", Prompts::Always),
    ("+CIPSENDL", Prompts::Always),
    ("+CIPSENDEX", Prompts::Always),
    ("+HTTPURLCFG", Prompts::Always),
    ("+HTTPCPOST", Prompts::Always),
    ("+HTTPCPUT", Prompts::Always),
    ("+WSSEND", Prompts::Always),
    ("+SYSFLASH", Prompts::ForKey("1", 4)),
    ("+BLEGATTSSETATTR", Prompts::Always),
    ("+BLEGATTSNTFY", Prompts::Always),
    ("+BLEGATTSIND", Prompts::Always),
    ("+BLEGATTCWR", Prompts::Always),
    ("+BTSPPSEND", Prompts::Always),
    ("+GTSSLFILE", Prompts::Always),
];

/// When a command asks for data.
#[derive(Debug, Clone, Copy)]
enum Prompts {
    /// Whenever it is not only read or tested: some also do without any argument.
    Always,
    /// With this key as its first argument, and at least so many arguments.
    ForKey(&'static str, usize),
    /// With this argument.
    Naming(&'static str),
    /// With at least so many arguments.
    WithArguments(usize),
    /// Unless its last argument is a text: then that is the data.
    UnlessQuoted,
}

/// What harm a command does, if any.
pub(super) fn harm(part: &Part<'_>) -> Option<&'static str> {
    if matches!(part.form(), Form::Read | Form::Test) {
        return None;
    }
    if part.name() == "+QCFG" && part.arguments().len() > 1 && PORT_KEYS.contains(&part.key().as_str()) {
        return Some("changes which ports the module has");
    }
    if part.is_basic() && (part.name().contains("Q1") || part.name().contains("V0")) {
        return Some("takes away the final results that this program waits for");
    }
    let name = if part.is_basic() {
        part.name().trim_end_matches(|last: char| last.is_ascii_digit())
    } else {
        part.name()
    };
    HARMFUL.iter().find(|(harmful, _)| *harmful == name).map(|(_, harm)| *harm)
}

/// Whether the port would stop being one for commands.
pub(super) fn enters_data_mode(part: &Part<'_>) -> bool {
    if part.name() == "+CGDATA" {
        return part.form() == Form::Write || part.form() == Form::Execute;
    }
    if let Some((_, at)) = ACCESS_MODES.iter().find(|(name, _)| *name == part.name()) {
        return part.arguments().get(*at).is_some_and(|mode| mode.trim_matches(' ') == "2");
    }
    // D dials; A answers a call, and O returns to one.
    part.is_basic() && (part.name().contains('D') || matches!(part.name(), "A" | "O" | "O0"))
}

/// Whether the command will ask for data.
pub(super) fn wants_data(part: &Part<'_>) -> bool {
    let Some((_, prompts)) = PROMPTING.iter().find(|(name, _)| *name == part.name()) else { return false };
    let arguments = part.arguments();
    let is_written = part.form() == Form::Write;
    match prompts {
        Prompts::Always => is_written || part.form() == Form::Execute,
        Prompts::ForKey(key, count) => is_written && part.key() == *key && arguments.len() >= *count,
        Prompts::Naming(name) => arguments.iter().any(|it| it.eq_ignore_ascii_case(name)),
        Prompts::WithArguments(count) => is_written && arguments.len() >= *count,
        Prompts::UnlessQuoted => is_written && !arguments.last().is_some_and(|last| last.ends_with('"')),
    }
}
