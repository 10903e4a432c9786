"""The Grid Services API's forms of an error. The texts are those of its published catalogue."""

from secrets import token_hex

from flask import Response

from sandbox.replies import reply

NO_KEY = "x-api-key is not provided or invalid"
OTHER_KEY = "x-api-key is not valid for this account"
NO_TOKEN = "Authorization is not provided or invalid"  # noqa: S105
NOT_ENROLLED = "Site is not enrolled in any program which belongs to your account."
NO_PROGRAM = "Please provide valid Program ID"
BAD_SITE = "Invalid site id. Please enter correct site id."
BAD_PAGE = (
    "Pagination Variables are incorrect. Page number should starts from 1 and page size should be between 1 and 100"
)
BAD_DATE = "Input date is incorrect. Date must be in yyyy-mm-dd format and must be a valid one."
BAD_GRANULARITY = "Granularity value must be one of  'week', 'day', '15mins', '5mins'"
BAD_DURATION = "Interval duration must be one of  '5mins', '15mins'"
TOO_OLD = "start_at can't be before 2 years of current date"
DOWNSTREAM = (
    "Error occurred while getting response from downstream server. "
    "Please refer to additionalInfo section for more details"
)
TEXTS = {
    400: "Bad Request",
    401: NO_TOKEN,
    403: "You do not have access to this resource",
    404: "Requested resource Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    500: "Internal Server Error",
}


def error(status: int, message: str = "", more: str | None = None) -> Response:
    """An error in the usual envelope, whose code is text."""
    body = {
        "code": str(status),
        "displayMessage": message or TEXTS.get(status, "Error"),
        "additionalInfo": more,
        "errorRefNo": token_hex(8),
    }
    return reply(body, status)


def gateway(status: int, message: str) -> Response:
    """An error of the gateway before the API."""
    return reply({"message": message}, status)
