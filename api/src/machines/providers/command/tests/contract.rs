//! The examples of docs/provider-contract.md are what the provider sends and accepts.

use super::super::answer::{self, Body, Described};
use super::super::fault::Fault;
use super::super::program::Printed;
use super::super::request::Request;
use super::*;
use crate::machines::providers::command::Operation;

const PAGE: &str = include_str!("../../../../../../docs/provider-contract.md");
/// The installation of the examples.
const SHOWN: &str = "3f0e…";

/// The request and the answers of an operation's section.
fn section(operation: Operation) -> (&'static str, Vec<&'static str>) {
    let start = format!("### {}\n", operation.as_str());
    let section = PAGE.split(start.as_str()).nth(1).unwrap().split("\n#").next().unwrap();
    let mut codes = section.split('\n').take(2).flat_map(|line| line.split('`').skip(1).step_by(2));
    (codes.next().unwrap(), codes.collect())
}

/// The blocks of JSON.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn read<B: Body>(answer: &str) -> Result<B, Fault> {
    // The page abbreviates machines.
    let machine: serde_json::Value = serde_json::from_str(blocks()[0]).unwrap();
    let answer = answer.replace("{…}", &machine["machine"].to_string());
    answer::read(&Printed { stdout: answer.into_bytes(), failure: None })
}

fn is_fine(described: Described) {
    let (server_id, machine) = described.check(SHOWN, &str::to_owned).unwrap();
    assert_eq!((server_id, machine.provider_id.as_str()), (ServerId(7), "i-0abc"));
}

#[test]
fn the_requests_of_the_page_are_those_that_are_sent() {
    let known = MachineRef { server_id: ServerId(7), provider_id: Some("i-0abc".to_owned()) };
    let key = "ssh-ed25519 AAAA… ocim".to_owned();
    let spec = MachineSpec { server_id: ServerId(7), name: "demo-7".to_owned(), authorized_key: key };
    for request in [
        Request::about(Operation::Find, SHOWN, &known),
        Request::create(SHOWN, &spec),
        Request::about(Operation::Reboot, SHOWN, &known),
        Request::about(Operation::Terminate, SHOWN, &known),
        Request::plain(Operation::List, SHOWN),
        Request::plain(Operation::Offers, SHOWN),
    ] {
        assert_eq!(section(request.operation).0, request.line().unwrap().trim_end());
    }
    let by_hand = PAGE.split("echo '").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(by_hand, Request::plain(Operation::List, "try").line().unwrap().trim_end());
}

#[test]
fn the_answers_of_the_page_are_accepted() {
    let answers = |operation| section(operation).1;
    let [found, none] = answers(Operation::Find)[..] else { panic!("two answers") };
    is_fine(read::<answer::Found>(found).unwrap().machine.unwrap());
    assert!(read::<answer::Found>(none).unwrap().machine.is_none());
    is_fine(read::<answer::Made>(answers(Operation::Create)[0]).unwrap().machine);
    read::<answer::Done>(answers(Operation::Reboot)[0]).unwrap();
    read::<answer::Done>(answers(Operation::Terminate)[0]).unwrap();
    assert_eq!(read::<answer::Listed>(answers(Operation::List)[0]).unwrap().machines.len(), 2);
    read::<answer::Offered>(answers(Operation::Offers)[0]).unwrap().offers.check().unwrap();
    is_fine(read::<answer::Made>(blocks()[0]).unwrap().machine);
    let Err(Fault::Told { words, .. }) = read::<answer::Done>(blocks()[1]) else { panic!("an error") };
    assert_eq!(words, "20 of 20 servers");
    assert_eq!(blocks().len(), 2);
}
