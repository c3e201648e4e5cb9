//! What a store with the interface of S3 answers where it refuses: an XML document with a code and a message.

use super::super::web::{Answer, is_transient, line};
use crate::resources::server::ServerError;

/// The codes that end by themselves, of any status. Bodies may be altered or cut off on the way.
const TRANSIENT: &[&str] = &[
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "OperationAborted",
    "BadDigest",
    "IncompleteBody",
];
/// What the key of a store needs for the buckets of instances.
pub(super) const BUCKETS: &str =
    "create, list and delete buckets that begin with `ocim-`, and to change their policy and CORS";
/// The codes of a key that is wrong.
const KEYS: &[&str] = &["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "NotSignedUp", "AuthFailure"];

/// The code of a refusal; none: it is none, or has none.
pub(super) fn code(answer: &Answer) -> Option<String> {
    if answer.status < 300 { None } else { element(&answer.text(), "Code") }
}

/// An error unless the request was done. `rights`: what the key needs to do, in words.
///
/// # Errors
/// [`ServerError`] in the store's words.
pub(super) fn check(answer: &Answer, rights: &str) -> Result<(), ServerError> {
    if answer.status < 300 { Ok(()) } else { Err(failed(answer, rights)) }
}

/// The error of a request that was not done. `rights`: what the key needs to do, in words.
pub(super) fn failed(answer: &Answer, rights: &str) -> ServerError {
    refused(answer.status, &answer.text(), rights)
}

/// An error if an answer of success names an object that was not deleted.
///
/// # Errors
/// [`ServerError`] for the first one, in the store's words.
pub(super) fn check_each(answer: &Answer, rights: &str) -> Result<(), ServerError> {
    let text = answer.text();
    let Some((_, error)) = text.split_once("<Error>") else { return Ok(()) };
    Err(refused(answer.status, error, rights))
}

/// The names in a list of buckets.
pub(super) fn names(answer: &Answer) -> Vec<String> {
    answer.text().split("<Name>").skip(1).filter_map(|rest| Some(rest.split_once("</Name>")?.0.to_owned())).collect()
}

fn refused(status: u16, document: &str, rights: &str) -> ServerError {
    let (code, message) = (element(document, "Code"), element(document, "Message"));
    let code = code.unwrap_or_else(|| status.to_string());
    let message = message.filter(|message| !message.is_empty()).unwrap_or_else(|| "without a message".to_owned());
    let words = format!("{} ({})", line(&message), line(&code));
    match code.as_str() {
        "BucketAlreadyExists" => ServerError::Taken,
        code if TRANSIENT.contains(&code) => ServerError::Away(words),
        code if KEYS.contains(&code) => ServerError::Refused(format!("{words}; check key and secret in `url`")),
        "AccessDenied" => ServerError::Refused(format!("{words}; the key needs to {rights}")),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError" => {
            ServerError::Refused(format!("{words}; check `region`, and the host of `url`"))
        }
        _ if is_transient(status) => ServerError::Away(words),
        _ => ServerError::Refused(words),
    }
}

/// The unfinished uploads of a list: key and id.
pub(super) fn uploads(answer: &Answer) -> Vec<(String, String)> {
    let text = answer.text();
    let each = text.split("<Upload>").skip(1);
    each.filter_map(|upload| Some((element(upload, "Key")?, element(upload, "UploadId")?))).collect()
}

/// The text of the first element of this name. Enough for these documents, whose texts are short and have no markup.
fn element(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    fn error(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>It is &lt;not&gt;\n possible.</Message></Error>"
        )
    }

    #[test]
    fn a_bucket_of_others_is_taken_and_one_of_ours_is_refused_by_its_code() {
        let (theirs, ours) =
            (answer(409, &error("BucketAlreadyExists")), answer(409, &error("BucketAlreadyOwnedByYou")));
        assert_eq!(check(&theirs, BUCKETS), Err(ServerError::Taken));
        assert_eq!(code(&ours).as_deref(), Some("BucketAlreadyOwnedByYou"));
        assert!(matches!(check(&ours, BUCKETS), Err(ServerError::Refused(_))));
    }

    #[test]
    fn refusals_say_what_to_do_in_the_words_of_the_store() {
        let words = |status, code: &str| match check(&answer(status, &error(code)), BUCKETS) {
            Err(ServerError::Refused(words)) => words,
            other => format!("{other:?}"),
        };
        assert_eq!(
            words(403, "SignatureDoesNotMatch"),
            "It is <not> possible. (SignatureDoesNotMatch); check key and secret in `url`"
        );
        assert!(words(403, "AccessDenied").contains("needs to create"));
        assert!(words(301, "PermanentRedirect").contains("check `region`"));
        assert_eq!(words(501, "NotImplemented"), "It is <not> possible. (NotImplemented)");
    }

    #[test]
    fn buckets_are_listed_by_their_names() {
        let list = "<ListAllMyBucketsResult><Owner><DisplayName>x</DisplayName></Owner><Buckets><Bucket><Name>a-1</Name></Bucket>\
                    <Bucket><CreationDate/><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>";
        assert_eq!(names(&answer(200, list)), ["a-1", "b"]);
        assert_eq!(
            names(&answer(200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn unfinished_uploads_are_listed_by_key_and_id() {
        let list = "<ListMultipartUploadsResult><Bucket>b</Bucket><Upload><Key>1/2/a</Key><UploadId>x&amp;1</UploadId></Upload>\
                    <Upload><UploadId>2</UploadId><Key>1/2/b</Key></Upload></ListMultipartUploadsResult>";
        let found = uploads(&answer(200, list));
        assert_eq!(found, [("1/2/a".to_owned(), "x&1".to_owned()), ("1/2/b".to_owned(), "2".to_owned())]);
        assert_eq!(uploads(&answer(200, "<ListMultipartUploadsResult/>")), []);
    }

    #[test]
    fn what_ends_by_itself_is_tried_again() {
        for (status, body) in
            [(503, error("SlowDown")), (200, error("InternalError")), (502, "<html>".to_owned()), (429, String::new())]
        {
            let found = if status == 200 {
                check_each(&answer(status, &body), BUCKETS)
            } else {
                check(&answer(status, &body), BUCKETS)
            };
            assert!(matches!(found, Err(ServerError::Away(_))), "{status} {body}");
        }
        assert_eq!(check_each(&answer(200, "<DeleteResult><Deleted/></DeleteResult>"), BUCKETS), Ok(()));
        assert_eq!((check(&answer(204, ""), BUCKETS), code(&answer(204, ""))), (Ok(()), None));
    }
}
