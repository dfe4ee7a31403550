//! Bring-up against modules of all kinds, in virtual time.

use std::sync::{Arc, Mutex};

use super::script::{converse, converse_from_the_start};
use super::*;

const SEARCHING: &str = ">> AT+CEREG?\n<< +CEREG: 0,2\n<< OK\n\
                         >> AT+CGREG?\n<< +CGREG: 0,0\n<< OK\n\
                         >> AT+CREG?\n<< +CREG: 0,2\n<< OK\n";
const DENIED: &str = ">> AT+CEREG?\n<< +CEREG: 0,3\n<< OK\n\
                      >> AT+CGREG?\n<< +CGREG: 0,3\n<< OK\n\
                      >> AT+CREG?\n<< +CREG: 0,0\n<< OK\n";
const HOME: &str = ">> AT+CEREG?\n<< +CEREG: 0,1\n<< OK\n";
const SIM_BUSY: &str = ">> AT+CPIN?\n<< +CME ERROR: 14\n";
const SIM_READY: &str = ">> AT+CPIN?\n<< +CPIN: READY\n<<\n<< OK\n";
const SIM_PIN: &str = ">> AT+CPIN?\n<< +CPIN: SIM PIN\n<< OK\n";

/// The steps that are announced while something runs.
async fn steps(run: impl AsyncFnOnce(&Progress)) -> Vec<Step> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let progress: Progress = Arc::new(move |step: &Step| log.lock().unwrap().push(step.clone()));
    run(&progress).await;
    seen.lock().unwrap().clone()
}

async fn sim(script: &str, pin: Option<&str>) -> Result<()> {
    let pin = pin.map(Secret::new);
    converse(script, async |port| make_sim_ready(&port, pin.as_ref()).await).await
}

async fn register(script: &str, timeout: u64) -> Result<()> {
    let timeout = Duration::from_secs(timeout);
    converse(script, async |port| wait_for_registration(&port, timeout, None).await).await
}

fn network_error(outcome: Result<()>) -> NetworkError {
    match outcome {
        Err(Error::Network(error)) => error,
        other => panic!("not the network's fault: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_says_who_it_is() {
    let script = ">> ATE0\n<< OK\n\
                  >> AT+CMEE=1\n<< OK\n\
                  >> AT+CGMI\n<< Quectel\n<<\n<< OK\n\
                  >> AT+CGMM\n<< EC800M\n<<\n<< OK\n\
                  >> AT+CGMR\n<< EC800MCNGAR06A05M08\n<<\n<< OK\n\
                  >> AT+CGSN\n<< 861234567890123\n<<\n<< OK\n";
    let announced = steps(async |progress| {
        let identity = converse(script, async |port| identify(&port, Some(progress)).await).await.unwrap();
        assert_eq!(identity.to_string(), "Quectel EC800M EC800MCNGAR06A05M08");
        assert_eq!(identity.imei.unwrap().to_string(), "861234567890123");
    });
    assert_eq!(announced.await, [Step::Synchronise, Step::Identify]);
}

#[tokio::test(start_paused = true)]
async fn echo_and_verbose_refusals_do_no_harm() {
    let script = ">> AT+CMEE?\n<< AT+CMEE?\\r\n<< +CMEE: 2\n<<\n<< OK\n\
                  >> ATE0\n<< ATE0\\r\n<< OK\n\
                  >> AT+CMEE=1\n<< +CME ERROR: operation not allowed\n\
                  >> AT+CGMI\n<< AT+CGMI\\r\n<< INCORPORATED\n<<\n<< OK\n\
                  >> AT+CGMM\n<< AT+CGMM\\r\n<< A7670E-FASE\n<<\n<< OK\n\
                  >> AT+CGMR\n<< AT+CGMR\\r\n<< +CGMR: A011B07A7670M7_F\n<<\n<< OK\n\
                  >> AT+CGSN\n<< AT+CGSN\\r\n<< +CME ERROR: unknown error\n";
    let identity = converse_from_the_start(script, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.to_string(), "INCORPORATED A7670E-FASE A011B07A7670M7_F");
    assert_eq!(identity.imei, None);
    assert_eq!(detect::vendor_of(&identity), Some(crate::Vendor::SimCom));
}

#[tokio::test(start_paused = true)]
async fn what_stood_on_the_line_before_costs_one_error() {
    let identity = ">> AT+CMEE=1\n<< OK\n\
                    >> AT+CGMI\n<< +CGMI: NEOWAY\n<< OK\n\
                    >> AT+CGMM\n<< +CGMM: N706\n<< OK\n\
                    >> AT+CGMR\n<< +CGMR: N706_BZ\n<< OK\n\
                    >> AT+CGSN\n<< +CGSN: 861234567890123\n<< OK\n";
    let fence = ">> AT+CMEE?\n<< ERROR\n>> AT+CGATT?\n<< +CGATT: 1\n<< OK\n";
    let script = format!("{fence}>> ATE0\n<< ERROR\n>> ATE0\n<< OK\n{identity}");
    let found = converse_from_the_start(&script, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(found.to_string(), "NEOWAY N706 N706_BZ");

    let twice = ">> ATE0\n<< ERROR\n>> ATE0\n<< ERROR\n";
    let error = converse(twice, async |port| identify(&port, None).await).await.unwrap_err();
    assert_eq!(error.to_string(), "ATE0: the module refused the command without a reason");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_know_the_standard_is_asked_in_another_way() {
    let script = ">> ATE0\n<< OK\n\
                  >> AT+CMEE=1\n<< ERROR\n\
                  >> AT+CGMI\n<< ERROR\n\
                  >> AT+CGMM\n<< ERROR\n\
                  >> AT+CGMR\n<< ERROR\n\
                  >> AT+CGSN\n<< ERROR\n\
                  >> ATI\n<< Manufacturer: SIMCOM INCORPORATED\n<< Model: SIMCOM_SIM7600G-H\n\
                  << Revision: LE20B04SIM7600G22\n<< +GCAP: +CGSM\n<<\n<< OK\n";
    let identity = converse(script, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.to_string(), "SIMCOM INCORPORATED SIMCOM_SIM7600G-H LE20B04SIM7600G22");
    assert_eq!(detect::vendor_of(&identity), Some(crate::Vendor::SimCom));

    let refusing = script.split(">> ATI").next().unwrap().to_owned() + ">> ATI\n<< ERROR\n>> AT+GMR\n";
    let versions =
        "<< AT version:2.4.0.0(4c6eb5e - ESP32 - May 20 2022 03:12:58)\n<< SDK version:v4.3.3\n<<\n<< OK\n";
    let telling = format!("{refusing}{versions}");
    let identity = converse(&telling, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.to_string(), "AT version:2.4.0.0(4c6eb5e - ESP32 - May 20 2022 03:12:58)");
    assert_eq!(detect::vendor_of(&identity), Some(crate::Vendor::Espressif));

    let refusing = refusing + "<< ERROR\n";
    let identity = converse(&refusing, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.to_string(), "an unknown module");
    assert_eq!(detect::vendor_of(&identity), None);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_restarts_is_asked_again() {
    let script = ">> ATE0\n<< OK\n\
                  >> AT+CMEE=1\n<< OK\n\
                  >> AT+CGMI\n<< RDY\n\
                  >> AT+CMEE?\n<< +CMEE: 0\n<< OK\n\
                  >> ATE0\n<< OK\n\
                  >> AT+CMEE=1\n<< OK\n\
                  >> AT+CGMI\n<< Quectel\n<< OK\n\
                  >> AT+CGMM\n<< BG96\n<< OK\n\
                  >> AT+CGMR\n<< BG96MAR02A07M1G\n<< OK\n\
                  >> AT+CGSN\n<< 861234567890123\n<< OK\n";
    let identity = converse(script, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.model.as_deref(), Some("BG96"));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_reports_its_start_while_it_is_called_is_asked_then() {
    let script = ">> AT+CMEE?\n\
                  >> AT+CGATT?\n\
                  << RDY\n\
                  >> AT+CMEE?\n<< +CFUN: 1\n<< +CPIN: READY\n<< +CMEE: 0\n<< OK\n\
                  >> ATE0\n\
                  >> AT+CMEE?\n<< +CMEE: 0\n<< OK\n\
                  >> ATE0\n<< OK\n\
                  >> AT+CMEE=1\n<< OK\n\
                  >> AT+CGMI\n<< Quectel\n<< OK\n\
                  >> AT+CGMM\n<< EG25\n<< OK\n\
                  >> AT+CGMR\n<< EG25GGBR07A08M2G\n<< OK\n\
                  >> AT+CGSN\n<< 861234567890123\n<< OK\n";
    let identity = converse_from_the_start(script, async |port| identify(&port, None).await).await.unwrap();
    assert_eq!(identity.to_string(), "Quectel EG25 EG25GGBR07A08M2G");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_starts_for_half_a_minute_is_waited_for() {
    let start = Instant::now();
    let probes = ["AT+CMEE?", "AT+CGATT?", "AT+CCLK?", "AT+CSQ", "AT+CSCS?"];
    let silence: String = probes.iter().map(|probe| format!(">> {probe}\n")).collect();
    let script =
        format!("{silence}>> AT+IPR?\n<< +IPR: 115200\n<< OK\n>> ATE0\n<< ERROR\n>> ATE0\n<< ERROR\n");
    let error = converse_from_the_start(&script, async |port| identify(&port, None).await).await.unwrap_err();
    assert!(matches!(error, Error::Module(_)), "{error}");
    assert!(start.elapsed() > Duration::from_secs(23), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_sim_is_busy_for_some_seconds() {
    let start = Instant::now();
    let verbose = ">> AT+CPIN?\n<< +CME ERROR: SIM busy\n";
    let crashed = ">> AT+CPIN?\n<< +CPIN: SIM CRASH\n<< OK\n";
    let script = [SIM_BUSY, verbose, crashed, SIM_READY].concat();
    sim(&script, None).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sim_that_gets_ready_within_a_refusal_is_asked_once_more() {
    let script = format!(">> AT+CPIN?\n<< +CPIN: READY\n<< +CME ERROR: SIM busy\n{SIM_READY}");
    sim(&script, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sim_that_never_gets_ready_is_named_with_its_reason() {
    let start = Instant::now();
    let script = ">> AT+CPIN?\n<< +CME ERROR: 10\n".repeat(16);
    let error = network_error(sim(&script, Some("1234")).await);
    assert_eq!(error.to_string(), "the SIM is not usable: no SIM inserted (code 10)");
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_pin_is_given_once() {
    let script = [SIM_PIN, ">> AT+CPIN=\"1234\"\n<< OK\n", SIM_BUSY, SIM_PIN, SIM_READY].concat();
    sim(&script, Some("1234")).await.unwrap();
    // A SIM starts anew with its PIN, and has the whole time for it once more.
    let busy = SIM_BUSY.repeat(10);
    let slow = [&busy, SIM_PIN, ">> AT+CPIN=\"1234\"\n<< OK\n", &busy, SIM_READY].concat();
    sim(&slow, Some("1234")).await.unwrap();
    assert_eq!(network_error(sim(SIM_PIN, None).await), NetworkError::PinRequired);
    let by_code = ">> AT+CPIN?\n<< +CME ERROR: 11\n";
    assert_eq!(network_error(sim(by_code, None).await), NetworkError::PinRequired);
}

#[tokio::test(start_paused = true)]
async fn a_refused_pin_is_not_given_again() {
    for (refusal, expected) in [
        ("+CME ERROR: 16", NetworkError::PinRefused),
        ("+CME ERROR: incorrect password", NetworkError::PinRefused),
        ("ERROR", NetworkError::PinRefused),
        ("+CME ERROR: SIM PUK required", NetworkError::PukRequired),
    ] {
        let script = format!("{SIM_PIN}>> AT+CPIN=\"1234\"\n<< {refusal}\n");
        assert_eq!(network_error(sim(&script, Some("1234")).await), expected);
    }
    // Not answered at all: nobody knows whether it counted as a failure.
    let script = format!("{SIM_PIN}>> AT+CPIN=\"1234\"\n");
    let script = format!("{script}>> AT+CMEE?\n<< +CMEE: 1\n<< OK\n");
    let error = converse(&script, async |port| {
        let error = make_sim_ready(&port, Some(&Secret::new("1234"))).await.unwrap_err();
        // The port asks a question of its own before it goes on.
        let mut link = port.link();
        link.wait_for(|state| *state == at_port::LinkState::Synced).await.unwrap();
        error
    });
    assert!(matches!(error.await, Error::Timeout { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_sim_that_takes_the_pin_and_asks_again_is_broken() {
    let script = format!("{SIM_PIN}>> AT+CPIN=\"1234\"\n<< OK\n{}", SIM_PIN.repeat(16));
    let error = network_error(sim(&script, Some("1234")).await);
    assert_eq!(error.to_string(), "the SIM is not usable: it still asks for the PIN that it has taken");
}

#[tokio::test(start_paused = true)]
async fn a_locked_sim_is_left_alone() {
    let by_words = ">> AT+CPIN?\n<< +CPIN: SIM PUK\n<< OK\n";
    assert_eq!(network_error(sim(by_words, Some("1234")).await), NetworkError::PukRequired);
    let by_code = ">> AT+CPIN?\n<< +CME ERROR: 12\n";
    assert_eq!(network_error(sim(by_code, Some("1234")).await), NetworkError::PukRequired);
}

#[tokio::test(start_paused = true)]
async fn the_registration_is_waited_for_with_every_change_announced() {
    let script = [SEARCHING, SEARCHING, SEARCHING, HOME].concat();
    let start = Instant::now();
    let announced = steps(async |progress| {
        let wait = async |port: ModemPort| {
            wait_for_registration(&port, Duration::from_secs(90), Some(progress)).await
        };
        converse(&script, wait).await.unwrap();
    });
    assert_eq!(announced.await, [Step::Register("searching"), Step::Register("registered, home network")]);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn any_registration_for_data_is_good_enough() {
    let roaming = ">> AT+CEREG?\n<< +CEREG: 0,5\n<< OK\n";
    let old_module = ">> AT+CEREG?\n<< ERROR\n>> AT+CGREG?\n<< +CGREG: 0,5\n<< OK\n";
    let neoway = ">> AT+CEREG?\n<< ERROR\n>> AT+CGREG?\n<< ERROR\n>> AT+CREG?\n<< +CEREG: 0,1\n<< OK\n";
    let report_between = ">> AT+CEREG?\n<< +CEREG: 1\n<< +CEREG: 1,1\n<< OK\n";
    for script in [HOME, roaming, old_module, neoway, report_between] {
        register(script, 90).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_when_it_lasts() {
    let start = Instant::now();
    let error = network_error(register(&DENIED.repeat(11), 90).await);
    assert_eq!(error, NetworkError::Denied);
    assert_eq!(start.elapsed().as_secs(), 10);

    let passing = [&DENIED.repeat(9), SEARCHING, &DENIED.repeat(9), HOME].concat();
    register(&passing, 90).await.unwrap();

    // Calls are refused, but data is still being searched for.
    let in_part = SEARCHING.replace("+CREG: 0,2", "+CREG: 0,3").repeat(21);
    let error = network_error(register(&in_part, 20).await);
    assert!(matches!(error, NetworkError::NotRegistered { status: "searching", .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_status_is_told_when_time_is_up() {
    let start = Instant::now();
    let error = network_error(register(&SEARCHING.repeat(6), 5).await);
    assert_eq!(error.to_string(), "the module is not registered after 5 s: searching");
    assert_eq!(start.elapsed().as_secs(), 5);

    assert_eq!(network_error(register(&DENIED.repeat(3), 2).await), NetworkError::Denied);

    let silent = ">> AT+CEREG?\n<< ERROR\n>> AT+CGREG?\n<< ERROR\n>> AT+CREG?\n<< ERROR\n";
    let error = network_error(register(&silent.repeat(2), 1).await);
    assert_eq!(error.to_string(), "the module is not registered after 1 s: the module does not tell");
    register(&silent.repeat(11), 60).await.expect("a module that knows no registration is used without");
}

#[tokio::test(start_paused = true)]
async fn flow_control_is_switched_on_or_its_refusal_told() {
    converse(">> AT+IFC=2,2\n<< OK\n", async |port| use_flow_control(&port).await).await.unwrap();
    let refusing = ">> AT+IFC=2,2\n<< ERROR\n";
    let error = converse(refusing, async |port| use_flow_control(&port).await).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+IFC: the module refused the command without a reason");
}

#[tokio::test(start_paused = true)]
async fn the_network_as_the_module_tells_it() {
    let script = [
        SIM_READY,
        ">> AT+CSQ\n<< +CSQ: 29,99\n<< OK\n",
        HOME,
        ">> AT+COPS?\n<< +COPS: 0,0,\"IND airtel airtel\",7\n<< OK\n",
        ">> AT+CGPADDR\n<< +CGPADDR: 1,10.49.14.68\n<< +CGPADDR: 4,0.0.0.0\n<< OK\n",
    ];
    let status = converse(&script.concat(), async |port| network_status(&port).await).await.unwrap();
    assert_eq!(status.sim, Some(SimStatus::Ready));
    assert_eq!(status.signal.and_then(|signal| signal.rssi_dbm), Some(-55));
    assert_eq!(status.registration, Some(RegistrationState::Home));
    assert_eq!(status.operator.and_then(|operator| operator.name).as_deref(), Some("IND airtel airtel"));
    assert_eq!(status.addresses, ["10.49.14.68".parse::<IpAddr>().unwrap()]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_tells_nothing_of_the_network_is_no_failure() {
    let refusals = ["AT+CSQ", "AT+CEREG?", "AT+CGREG?", "AT+CREG?", "AT+COPS?", "AT+CGPADDR"];
    let refusals: String = refusals.iter().map(|line| format!(">> {line}\n<< ERROR\n")).collect();
    for (answer, sim) in [
        ("+CME ERROR: 10", SimStatus::Other("no SIM inserted (code 10)".into())),
        ("+CME ERROR: 11", SimStatus::Pin),
        ("+CME ERROR: 12", SimStatus::Puk),
    ] {
        let script = format!(">> AT+CPIN?\n<< {answer}\n{refusals}");
        let status = converse(&script, async |port| network_status(&port).await).await.unwrap();
        assert_eq!(status, NetworkStatus { sim: Some(sim), ..NetworkStatus::default() });
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_gone_is_a_failure_everywhere() {
    let gone = |port: ModemPort| async move {
        port.close();
        let mut link = port.link();
        link.wait_for(|state| *state == at_port::LinkState::Dead).await.unwrap();
        port
    };
    converse_from_the_start("", async |port| {
        let port = gone(port).await;
        assert!(matches!(network_status(&port).await, Err(Error::Port { .. })));
        assert!(matches!(switch_echo_off(&port).await, Err(Error::Port { .. })));
        assert!(matches!(identify(&port, None).await, Err(Error::Port { .. })));
        assert!(matches!(make_sim_ready(&port, None).await, Err(Error::Port { .. })));
    })
    .await;
}
